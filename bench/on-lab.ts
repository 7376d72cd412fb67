import { execa } from 'execa';
import { labSsh } from '../src/lab/index.js';

export interface OnLabOptions {
  /** What the script reads from stdin. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs a script as root on a host of a lab, named CLUSTER/HOST, and gives what it prints; a script that fails throws. */
export const onLab = async (
  host: string,
  script: string,
  { input = '', signal }: OnLabOptions = {},
): Promise<string> => {
  const [program = '', ...args] = await labSsh(host);
  const { stdout } = await execa(program, [...args, `set -eu\n${script}`], {
    input,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  return stdout;
};
