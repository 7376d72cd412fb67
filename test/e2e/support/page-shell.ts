import { chmod } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { root } from './kbs.js';
import { kubectlHere } from './kubectl.js';
import type { Project } from './project.js';

/** Runs a line that a page tells people to run; a status that is not `exit` throws what it printed. */
export type PageShell = (line: string, exit?: number) => Promise<string>;

/** A shell in the project's folder, with kbs, with the cluster's own kubectl once that is there, and with these variables. */
export const pageShell = async (project: Project, variables: Readonly<Record<string, string>>): Promise<PageShell> => {
  const { folder } = project;
  await project.write('kbs', `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/run.js')}' "$@"\n`);
  await chmod(join(folder, 'kbs'), 0o755);
  const env = {
    ...variables,
    PATH: [folder, process.env.PATH].join(delimiter),
    NO_COLOR: '1',
  };
  return async (line, exit = 0) => {
    const { exitCode, all } = await execa('bash', ['-eo', 'pipefail', '-c', line], {
      cwd: folder,
      env,
      stdin: 'ignore',
      all: true,
      reject: false,
      timeout: 420_000,
    });
    if (exitCode === exit) return all;
    throw new Error(`${line}\nended with ${exitCode}, not ${exit}:\n${all}`);
  };
};

/** Puts the cluster's kubectl where the shell finds it. */
export const withKubectl = async (project: Project, host?: string): Promise<void> => {
  await kubectlHere(project, host);
};
