import { beforeAll, expect, test } from 'vitest';
import { issue, systemRandomness } from '../../src/pki/authority.js';
import { issuedResult } from '../../src/verify/cert-manager.js';
import { dealtRandomness } from '../pki/keys.js';

/** Two authorities; what each has signed is here itself. */
let authorities: readonly string[];

beforeAll(async () => {
  const keys = await dealtRandomness(2);
  const wanted = { path: 'ca', issuer: 'ca', subject: { commonName: 'x' }, usages: [], names: [], days: 9 } as const;
  const self = async () => {
    const { publicKey, privateKey } = await keys.keyPair();
    return issue({ wanted, publicKey, signingKey: privateKey, now: new Date(), randomness: systemRandomness });
  };
  authorities = [await self(), await self()];
});

const told = (issued: string, said = '') => {
  const { ok, detail } = issuedResult(said, issued, authorities[0] ?? '', 0);
  return `${ok} ${detail}`;
};

test('a certificate of the authority is good, and says how long', () => {
  expect(told(authorities[0] ?? '')).toMatch(/^true until \w/);
});

test('a certificate of another authority is not', () => {
  expect(told(authorities[1] ?? '')).toBe('false another authority than that of kbs addons ca has signed it');
});

test.each<[string, string, string]>([
  [
    'cert-manager says why',
    JSON.stringify({
      status: {
        conditions: [
          { type: 'Issuing', message: 'Issuing' },
          { type: 'Ready', message: 'no such issuer' },
        ],
      },
    }),
    'no such issuer',
  ],
  ['cert-manager has said nothing', '{}', 'cert-manager has not looked at it yet'],
  ['there is no such kind', 'error: the server doesn\'t have a resource type "certificates"', 'error: the server'],
  ['nothing was said', '', 'the API server does not answer'],
])('where none is issued and %s', (_, said, detail) => {
  expect(told('', said)).toMatch(new RegExp(`^false ${detail}`));
});
