import { type KeyPair, type Randomness, systemRandomness } from '../../src/pki/authority.js';

/** Real keys, made once and then dealt out again and again, for tests that issue many certificates. */
export const dealtRandomness = async (size: number): Promise<Randomness> => {
  const keys = await Promise.all(Array.from({ length: size }, () => systemRandomness.keyPair()));
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
