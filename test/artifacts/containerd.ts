import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { BinaryName, StoredArtifacts } from '../../src/artifacts/artifacts.js';

/** A real containerd of a bundle, in a folder of its own that is gone after `stop`. */
export interface Containerd {
  readonly socket: string;
  /** Runs `ctr -n k8s.io WORDS` against it and gives its stdout. */
  ctr(...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** The executables of a bundle that containerd needs, unpacked as a host would unpack them. Gives their folder. */
export const unpackRuntime = async (artifacts: StoredArtifacts): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'kbs-runtime-'));
  for (const name of ['unzstd', 'containerd', 'ctr', 'containerd-shim-runc-v2', 'runc'] satisfies BinaryName[]) {
    const { file, packing } = artifacts.binary(name);
    const target = join(folder, name);
    if (packing === 'none') await pipeline(createReadStream(file), createWriteStream(target));
    else await execa(join(folder, 'unzstd'), { stdin: { file }, stdout: { file: target }, buffer: false });
    await chmod(target, 0o755);
  }
  return folder;
};

/** Starts it and waits until it answers. `runtime` is the folder of its executables. */
export const startContainerd = async (runtime: string): Promise<Containerd> => {
  const home = await mkdtemp(join(tmpdir(), 'kbs-containerd-'));
  const socket = join(home, 'c.sock');
  await mkdir(join(home, 'none'));
  await writeFile(join(home, 'config.toml'), configOf(home, socket));
  const daemon = spawn(join(runtime, 'containerd'), ['-c', join(home, 'config.toml')], {
    env: { PATH: `${runtime}:${process.env.PATH}` },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  const ctr = async (...words: readonly string[]) =>
    (await execa(join(runtime, 'ctr'), ['-a', socket, '-n', 'k8s.io', ...words])).stdout;
  const stop = async () => {
    daemon.kill();
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200; tries += 1) {
    if (await ctr('version').catch(() => undefined)) return { socket, ctr, stop };
    await sleep(50);
  }
  await stop();
  throw new Error('containerd does not answer');
};

const configOf = (home: string, socket: string): string => `version = 3
root = "${home}/root"
state = "${home}/state"
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["${home}/none"]
  conf_dir = "${home}/none"
`;
