import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutation } from '../src/hosts/host.js';
import { openPool } from '../src/hosts/pool.js';
import { sh } from '../src/hosts/shell.js';
import { startSshd } from '../test/support/sshd.js';
import { requireHere } from './requirements.js';

/**
 * How fast does a payload reach a host, compared with scp? 200 MB of random bytes over a loopback sshd, to a file,
 * connection included on both sides. They take turns, so that whatever else the machine does meets all of them.
 *
 *     npm run bench:upload [ROUNDS]
 */
requireHere({ packages: ['openssh-server', 'openssh-client'] });
const rounds = Number(process.argv[2] ?? 5);
const size = 200_000_000;
const dir = mkdtempSync(join(tmpdir(), 'kbs-bench-'));
const sshd = await startSshd();
try {
  const source = join(dir, 'source');
  const target = join(dir, 'target');
  writeRandom(source, size);

  const scp = (cipher: readonly string[]) => () =>
    execFileSync('scp', [
      ...['-q', '-i', sshd.key, '-P', String(sshd.port), '-o', `UserKnownHostsFile=${sshd.knownHosts}`, ...cipher],
      ...[source, `${sshd.user}@127.0.0.1:${target}`],
    ]);
  const kbs = async () => {
    const pool = openPool();
    const host = pool.host({ name: 'loopback', ssh: sshd.settings() });
    await host.mutate(mutation(sh`head -c ${size} > ${target}`, [{ file: source, size }]));
    await pool.close();
  };
  const runners = {
    kbs,
    scp: scp([]),
    'scp aes128-gcm': scp(['-c', 'aes128-gcm@openssh.com']),
  };

  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(runners)) {
      const began = performance.now();
      await run();
      const took = performance.now() - began;
      times.set(name, [...(times.get(name) ?? []), took]);
      execFileSync('cmp', [source, target]);
      rmSync(target);
    }
  }
  const ours = median(times.get('kbs') ?? []);
  for (const [name, each] of times) {
    const middle = median(each);
    console.log(
      `${name.padEnd(16)} ${(size / 1000 / middle).toFixed(0).padStart(5)} MB/s   kbs is ${(middle / ours).toFixed(2)} times as fast`,
    );
  }
} finally {
  await sshd.stop();
  rmSync(dir, { recursive: true, force: true });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function writeRandom(file: string, bytes: number): void {
  const handle = openSync(file, 'w');
  const block = randomBytes(1_000_000);
  for (let at = 0; at < bytes; at += block.length) writeSync(handle, block);
  closeSync(handle);
}
