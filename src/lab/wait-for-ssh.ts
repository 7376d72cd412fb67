import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { type Hierarchies, processesIn } from './cgroups.js';
import { consoleOf } from './lab.js';
import { hostGroup, type Places } from './paths.js';
import { platformOf } from './platforms.js';
import { lastLines } from './shell.js';
import type { HostSpec } from './spec.js';

/** Waits until a host's SSH server answers, as long as its platform may take; not for a host that stopped meanwhile. */
export const awaitSsh = async (places: Places, tree: Hierarchies, lab: string, host: HostSpec): Promise<void> => {
  const seconds = platformOf(host).bootTime;
  const deadline = Date.now() + seconds * 1000;
  for (let attempt = 0; !(await answersSsh(host.address, host.sshPort)); attempt += 1) {
    const stopped = attempt > 20 && (await processesIn(tree, hostGroup(lab, host.name))).length === 0;
    if (stopped || Date.now() > deadline) throw await silent(places, lab, host, stopped ? undefined : seconds);
    await sleep(100);
  }
};

const answersSsh = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const answer = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2_000, () => answer(false));
    // An emulated host that took the connection may need some time for the rest.
    socket.on('connect', () => socket.setTimeout(30_000));
    socket.on('data', (bytes) => answer(bytes.toString('latin1').startsWith('SSH-')));
    socket.on('error', () => answer(false));
    socket.on('close', () => answer(false));
  });

const silent = async (places: Places, lab: string, host: HostSpec, seconds: number | undefined): Promise<Failure> => {
  const log = consoleOf(places, lab, host.name);
  return new Failure(
    seconds === undefined ? 'refused' : 'timeout',
    seconds === undefined ? 'the host stopped' : `the host did not answer SSH within ${seconds} s`,
    {
      where: { host: host.name },
      why: lastLines(await readFile(log, 'utf8').catch(() => 'nothing on its console')),
      next: `read ${log}`,
    },
  );
};
