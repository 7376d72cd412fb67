import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { type Hierarchies, processesIn } from './cgroups.js';
import { consoleOf } from './lab.js';
import { hostGroup, type Places } from './paths.js';
import { lastLines } from './shell.js';
import type { HostSpec } from './spec.js';

/** Waits until a host's SSH server answers, at most two minutes; a host that stopped meanwhile is not waited for. */
export const awaitSsh = async (places: Places, tree: Hierarchies, lab: string, host: HostSpec): Promise<void> => {
  const deadline = Date.now() + 120_000;
  for (let attempt = 0; !(await answersSsh(host.address, host.sshPort)); attempt += 1) {
    const stopped = attempt > 20 && (await processesIn(tree, hostGroup(lab, host.name))).length === 0;
    if (stopped || Date.now() > deadline) throw await silent(places, lab, host, stopped);
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
    socket.on('data', (bytes) => answer(bytes.toString('latin1').startsWith('SSH-')));
    socket.on('error', () => answer(false));
    socket.on('close', () => answer(false));
  });

const silent = async (places: Places, lab: string, host: HostSpec, stopped: boolean): Promise<Failure> => {
  const log = consoleOf(places, lab, host.name);
  return new Failure(
    stopped ? 'refused' : 'timeout',
    stopped ? 'the host stopped' : 'the host did not answer SSH within 120 s',
    {
      where: { host: host.name },
      why: lastLines(await readFile(log, 'utf8').catch(() => 'nothing on its console')),
      next: `read ${log}`,
    },
  );
};
