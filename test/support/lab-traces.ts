import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { labFolder, labPrefix, placesOf } from '../../src/lab/paths.js';

/**
 * What stands on this machine that a lab could leave behind, one line each: mounts, namespaces, links, addresses,
 * routes, rules, control groups and processes. Lines of other labs are left out, since those come and go, and those of
 * a containerd that another test has started.
 */
export const machineState = async (lab: string): Promise<readonly string[]> => {
  const own = [labPrefix(lab), labFolder(placesOf(), lab)];
  const others = /kbs-[0-9a-f]{6}\b|\/kbs-lab\/|\/kbs-containerd-/;
  return (await everything())
    .filter((line) => !others.test(line) || own.some((mark) => line.includes(mark)))
    .toSorted();
};

/** Lines that carry the lab's marks: all must go with it. */
export const leftOf = async (lab: string): Promise<readonly string[]> =>
  (await everything()).filter((line) => line.includes(labPrefix(lab)) || line.includes(labFolder(placesOf(), lab)));

const everything = async (): Promise<readonly string[]> => {
  const texts = await Promise.all([
    readFile('/proc/self/mounts', 'utf8'),
    output('ip', ['netns']),
    output('ip', ['-br', 'link']),
    output('ip', ['-4', '-o', 'address']),
    output('ip', ['route', 'show', 'table', 'all']),
    output('nft', ['list', 'ruleset']),
    output('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-name', 'kbs-*']),
    output('find', ['/run/systemd/nspawn', '-mindepth', '2']).catch(() => ''),
    processes(),
  ]);
  return texts.flatMap((text) => text.split('\n')).filter(Boolean);
};

/** Programs that a lab starts, each with its control groups; a process that is only waiting to be counted has none. */
const processes = async (): Promise<string> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      const [command, groups] = [(await read('cmdline')).replaceAll('\0', ' '), await read('cgroup')];
      return /nspawn|machine\.sh|debootstrap|:\/kbs-/.test(command + groups) && command !== ''
        ? `${command} in ${groups.replaceAll('\n', ' ')}`
        : '';
    }),
  );
  return lines.join('\n');
};

const output = async (program: string, args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(program, args, { maxBuffer: 2 ** 24 })).stdout;
