import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { issue, type KeyPair, type Randomness, systemRandomness } from '../../src/pki/authority.js';
import { Secret } from '../../src/secret.js';

/**
 * Real keys, made once and then dealt out again and again, for tests that issue many certificates. They are kept for
 * the next run: to make them takes longer than all that is asked of them.
 */
export const dealtRandomness = async (size: number): Promise<Randomness> => {
  const keys = kept(size) ?? keep(await Promise.all(Array.from({ length: size }, () => systemRandomness.keyPair())));
  let dealt = 0;
  return {
    async keyPair(): Promise<KeyPair> {
      const pair = keys[dealt++ % keys.length];
      if (pair === undefined) throw new Error('no keys to deal');
      return pair;
    },
    bytes: systemRandomness.bytes,
  };
};

/** A certificate that signs itself, PEM; another one at each call. */
export const testCertificate = async (): Promise<string> => {
  const { publicKey, privateKey } = await (await dealtRandomness(1)).keyPair();
  const wanted = {
    path: 'ca',
    issuer: 'ca',
    subject: { commonName: 'kubernetes' },
    usages: [],
    names: [],
    days: 3650,
  } as const;
  return issue({ wanted, publicKey, signingKey: privateKey, now: new Date(), randomness: systemRandomness });
};

const file = fileURLToPath(new URL('../../node_modules/.cache/kbs-test-keys.json', import.meta.url));

/** That many of the keys of an earlier run, where it made as many. */
function kept(size: number): readonly KeyPair[] | undefined {
  try {
    const pairs = JSON.parse(readFileSync(file, 'utf8')) as readonly Record<keyof KeyPair, string>[];
    if (pairs.length < size) return undefined;
    return pairs.slice(0, size).map(({ publicKey, privateKey }) => ({ publicKey, privateKey: new Secret(privateKey) }));
  } catch {
    return undefined;
  }
}

/** Two test files may come here at once: each writes a whole file, and either will do. */
function keep(pairs: readonly KeyPair[]): readonly KeyPair[] {
  const plain = pairs.map(({ publicKey, privateKey }) => ({ publicKey, privateKey: privateKey.reveal() }));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(plain), { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
  return pairs;
}
