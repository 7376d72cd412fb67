import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Randomness } from '../../src/pki/authority.js';
import { certificatesOf } from '../../src/pki/certificates.js';
import { ensureKeyring, readKeyring } from '../../src/pki/keyring.js';
import { dealtRandomness } from '../pki/keys.js';
import { clusterOf } from '../support/cluster.js';
import { memoryFolder } from '../support/memory-folder.js';

const cluster = clusterOf();
const now = new Date('2026-06-01T12:00:00Z');
let scratch: string;
let randomness: Randomness;
beforeAll(async () => {
  randomness = await dealtRandomness(23);
  scratch = await mkdtemp(join(memoryFolder(), 'kbs-keyring-'));
}, 60_000);
afterAll(() => rm(scratch, { recursive: true }));

it('a keyring is completed by the next run, wherever the first was interrupted', async () => {
  // A control plane that is a worker too has certificates of every sort.
  const [controller] = cluster.hosts;
  const small = clusterOf({ hosts: controller ? [{ ...controller, roles: ['control-plane', 'worker'] }] : [] });
  expect(new Set(certificatesOf(small).map(({ path }) => path.replace(/^hosts\/[^/]+/, '')))).toEqual(
    new Set(certificatesOf(cluster).map(({ path }) => path.replace(/^hosts\/[^/]+/, ''))),
  );
  const total = certificatesOf(small).length + 1;
  for (let survived = 0; survived < total; survived++) {
    const ring = join(scratch, `interrupted-${survived}`);
    await expect(ensureKeyring(ring, small, now, interrupted(survived))).rejects.toThrow('interrupted');
    await ensureKeyring(ring, small, now, randomness);
    const { missing } = await readKeyring(ring, small, now);
    expect(missing).toEqual([]);
  }
});

const interrupted = (numbers: number): Randomness => {
  let given = 0;
  return {
    keyPair: () => randomness.keyPair(),
    bytes(size) {
      if (given++ === numbers) throw new Error('interrupted');
      return randomness.bytes(size);
    },
  };
};
