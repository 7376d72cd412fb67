import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { World } from '../resources/overlay-host.js';

/** A web server with faults, for one throwaway host: on an address that its network namespace alone has. */
export interface FaultyMirror {
  /** Address and port; the first part of a path says what happens: see faulty-server.ts. */
  readonly at: string;
  /** What it is trusted by, as PEM. */
  readonly certificate: string;
  /** Each request so far, `PATH RANGE`. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves the files of a folder, where its key and certificate lie too. */
export const serveFaultily = async (folder: string, world: World): Promise<FaultyMirror> => {
  await world.run(`ip link set lo up; ip addr add ${ownAddress}/32 dev lo`);
  return serveIn(folder, ['nsenter', '-t', String(world.pid), '-n'], ownAddress);
};

/** The same in another network namespace, which has the address; `enter` begins the command line of a process there. */
export const serveIn = async (
  folder: string,
  [enter = '', ...words]: readonly string[],
  address: string,
): Promise<FaultyMirror> => {
  const certificate = await selfSigned(folder, 'server', address);
  const script = new URL('faulty-server.ts', import.meta.url).pathname;
  const node = [process.execPath, '--import', 'tsx', script, folder, address, port];
  const server = spawn(enter, [...words, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  const requests: string[] = [];
  await once(server.stdout, 'data');
  server.stdout.on('data', (text) => requests.push(...String(text).trim().split('\n')));
  return {
    at: `${address}:${port}`,
    certificate,
    requests,
    close: async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
};

/** Its network is its own, so they may be the same for all. containerd trusts whatever certificate a loopback address has. */
const [ownAddress, port] = ['192.0.2.9', '8443'];

/** Makes `NAME.key` and `NAME.crt` of the mirror; gives the certificate. */
export const selfSigned = async (folder: string, name: string, address = ownAddress): Promise<string> => {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${address}`];
  await execa('openssl', ['req', '-x509', ...curve, '-out', certificate, '-days', '2', ...names]);
  return readFile(certificate, 'utf8');
};
