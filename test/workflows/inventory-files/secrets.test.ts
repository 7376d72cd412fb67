import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { failuresIn } from '../../../src/failure.js';
import { readOwnerSecrets } from '../../../src/workflows/inventory-files/secrets.js';
import { loadCluster } from '../../../src/workflows/load-cluster.js';

const inventory = `apiVersion: kbs/v1
cluster: one
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 10.1.0.0/24 }
hosts:
  cp: { address: 10.1.0.10, roles: [control-plane, worker] }
registries:
`;

describe('passwords of registries', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-passwords-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = async (registries: string, environment: NodeJS.ProcessEnv = {}) => {
    const text = inventory + registries;
    const loaded = await loadCluster(join(folder, 'kbs.yaml'), text);
    return readOwnerSecrets({ ...loaded, inventory: 'kbs.yaml' }, environment).registryPasswords;
  };

  it('are the first line of a file, or a variable, and no text that could be printed', async () => {
    writeFileSync(join(folder, 'password'), 'of a file \r\nand more\n');
    const found = await read(
      `  a.lan: { auth: { username: a, passwordFile: password } }
  b.lan: { auth: { username: b, passwordVariable: B_PASSWORD } }
  c.lan: {}
`,
      { B_PASSWORD: 'of a variable' },
    );
    expect([...found].map(([name, password]) => [name, password.reveal()])).toEqual([
      ['a.lan', 'of a file '],
      ['b.lan', 'of a variable'],
    ]);
    expect(`${[...found.values()]}`).not.toContain('of a');
  });

  it('that are not there are named all at once, each at its place', async () => {
    writeFileSync(join(folder, 'empty'), '\n');
    const error = await read(`  a.lan: { auth: { username: a, passwordFile: missing } }
  b.lan: { auth: { username: b, passwordFile: empty } }
  c.lan: { auth: { username: c, passwordVariable: C_PASSWORD } }
`).catch((thrown: unknown) => thrown);
    expect(failuresIn(error).map(({ message, where }) => [message.replaceAll(folder, ''), where.position])).toEqual([
      [
        expect.stringContaining('registries.a.lan.auth.passwordFile: cannot read a password from /missing: ENOENT'),
        'kbs.yaml:10:47',
      ],
      ['registries.b.lan.auth.passwordFile: the first line of /empty is empty', 'kbs.yaml:11:47'],
      ['registries.c.lan.auth.passwordVariable: the variable C_PASSWORD is not set', 'kbs.yaml:12:51'],
    ]);
  });
});

test.each([
  [
    'a.lan: { auth: { username: a } }',
    'registries.a.lan.auth: needs either passwordFile or passwordVariable, which say where the password is',
  ],
  [
    'a.lan: { auth: { username: a, passwordFile: b, passwordVariable: C } }',
    'registries.a.lan.auth: needs either passwordFile or passwordVariable, which say where the password is',
  ],
  [
    '"*": { auth: { username: a, passwordFile: b } }',
    'registries.*.auth: would go to every registry; write it under the name of one',
  ],
  [
    'a.lan: { auth: { username: "a:b", passwordFile: b } }',
    'registries.a.lan.auth.username: has a colon, which ends a name where it is sent (RFC 7617)',
  ],
  ['a.lan: { auth: { username: a, password: b } }', 'password'],
])('%s is refused', async (registries, says) => {
  const error = await loadCluster('kbs.yaml', `${inventory}  ${registries}\n`).catch((thrown: unknown) => thrown);
  expect(failuresIn(error).map(({ message }) => message)).toEqual([expect.stringContaining(says)]);
});
