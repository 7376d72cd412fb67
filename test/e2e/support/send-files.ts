import { execa } from 'execa';
import { labSsh } from '../../../src/lab/index.js';
import type { Project } from './project.js';

/** Copies files and folders, as a tar, to a folder of a host of the lab; links become what they point at. */
export const sendFiles = async (
  { name }: Project,
  host: string,
  { folder, names, target }: { readonly folder: string; readonly names: readonly string[]; readonly target: string },
): Promise<void> => {
  const [program = '', ...args] = await labSsh(`${name}/${host}`);
  const unbuffered = { buffer: false } as const;
  await execa('tar', ['-C', folder, '-chf', '-', ...names], unbuffered).pipe(
    program,
    [...args, `mkdir -p ${target} && tar -C ${target} -xf -`],
    unbuffered,
  );
};
