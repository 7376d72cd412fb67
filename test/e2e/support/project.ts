import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Plan } from '../../../src/engine/plan.js';
import { labDown, labSsh, labState } from '../../../src/lab/index.js';
import { type Ended, type KbsOptions, kbs, type Running, root, startKbs, told } from './kbs.js';

/** An operator's folder with a `kbs.yaml`, and the lab of the cluster that it describes. */
export interface Project {
  readonly folder: string;
  /** The name of the cluster and of its lab. */
  readonly name: string;
  /** The folder with the lab's key and known hosts. */
  readonly labFiles: string;
  write(name: string, text: string): Promise<void>;
  /** Copies a chart of test/e2e/charts into the folder. */
  addChart(name: string): Promise<void>;
  /** Runs the command line in the folder. */
  kbs(words: string, options?: Omit<KbsOptions, 'cwd'>): Promise<Ended>;
  start(words: string): Running;
  /** Gives the document that a command prints with `--json`. */
  json<T>(words: string, exit?: number): Promise<T>;
  /** Runs a script on a host of the lab and gives what it prints; a script that fails throws. */
  on(host: string, script: string, user?: string): Promise<string>;
  /** Takes the lab down and removes the folder. */
  remove(): Promise<void>;
}

/** Makes the folder. A lab of that name that an earlier test run left behind is taken down. */
export const makeProject = async (name: string, inventory: string): Promise<Project> => {
  await labDown(name);
  const folder = await mkdtemp(join(tmpdir(), `kbs-${name}-`));
  const write = (file: string, text: string) => writeFile(join(folder, file), text);
  await write('kbs.yaml', inventory);
  const project: Project = {
    folder,
    name,
    labFiles: labState(folder, name),
    write,
    addChart: (chart) => cp(join(root, 'test/e2e/charts', chart), join(folder, chart), { recursive: true }),
    kbs: (words, options = {}) => kbs(words.split(' '), { ...options, cwd: folder }),
    start: (words) => startKbs(words.split(' '), folder),
    async json<T>(words: string, exit = 0) {
      const ended = await project.kbs(`${words} --json`, { exit });
      try {
        // What the documents are is what the tests then look at.
        return JSON.parse(ended.stdout) as T;
      } catch (cause) {
        throw new Error(`kbs ${words} --json printed no document:\n${told(ended)}`, { cause });
      }
    },
    on: (host, script, user = 'root') => onLab(`${name}/${host}`, script, user),
    async remove() {
      await labDown(name);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return project;
};

const onLab = async (host: string, script: string, user: string): Promise<string> => {
  const [program = '', ...args] = await labSsh(host, user);
  const { exitCode, stdout, stderr } = await execa(program, [...args, 'sh -eu'], { input: script, reject: false });
  if (exitCode === 0) return stdout;
  throw new Error(`on ${host}, status ${exitCode}: ${script}\n${stdout}\n${stderr}`);
};

/** A plan as one line per change: `HOST PHASE KIND ID`. */
export const linesOf = (plan: Plan): readonly string[] =>
  plan.hosts
    .flatMap(({ host, phases }) =>
      phases.flatMap(({ phase, changes }) => changes.map(({ kind, id }) => `${host} ${phase} ${kind} ${id}`)),
    )
    .toSorted();
