import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failuresIn } from '../../../src/failure.js';
import { type ImportRequest, importFile } from '../../../src/workflows/import-inventory.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-import-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};

/** `code place message` of each failure. */
const said = async (name: string, text: string, request: Partial<ImportRequest> = {}): Promise<readonly string[]> => {
  try {
    await importFile({ file: write(name, text), segments: [], output: 'kbs.yaml', ...request });
    return [];
  } catch (error) {
    return failuresIn(error).map(({ code, where, message }) =>
      [code, ...(where.position === undefined ? [] : [where.position]), message].join(' ').replaceAll(`${folder}/`, ''),
    );
  }
};

const k0sctl = 'apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\n';

test.each<[string, string, readonly string[]]>([
  ['x.yaml', 'a: 1\n', ['usage x.yaml is not a file that kbs can import']],
  ['x.yaml', '', ['usage x.yaml is not a file that kbs can import']],
  ['hosts', '$ANSIBLE_VAULT;1.1;AES256\n30\n', ['usage hosts is encrypted by Ansible Vault']],
  ['k0sctl.yaml', 'a:\n\tb: 1\n', ['inventory k0sctl.yaml:2:1 a tab cannot indent a line of YAML; use spaces']],
  [
    'k0sctl.yaml',
    'a: *b\nc: &c { d: *c }\n[e]: 1\nf: { <<: text }\n',
    [
      'inventory k0sctl.yaml:1:4 *b has no anchor',
      'inventory k0sctl.yaml:2:12 *c holds itself',
      'inventory k0sctl.yaml:3:1 a key is not a text',
      'inventory k0sctl.yaml:4:6 << merges maps alone',
    ],
  ],
  ['k0sctl.yaml', k0sctl, ['inventory k0sctl.yaml:1:1 spec is missing; it is a map']],
  [
    'k0sctl.yaml',
    `${k0sctl}spec:\n  hosts:\n    - ssh: { address: 10.0.0.1, port: ssh }\n    - role: worker\n      installFlags: --debug\n`,
    [
      'inventory k0sctl.yaml:5:7 spec.hosts[0].role is missing; it is a text',
      'inventory k0sctl.yaml:5:39 spec.hosts[0].ssh.port is not a port, 1 to 65535',
      'inventory k0sctl.yaml:7:21 spec.hosts[1].installFlags is not a list',
    ],
  ],
  [
    'cluster.yml',
    'nodes:\n  - address: 10.0.0.1\n    role: worker\n',
    ['inventory cluster.yml:3:11 nodes[0].role is not a list'],
  ],
  [
    'hosts.yaml',
    'kube_control_plane:\n  hosts:\n    a: { ansible_port: ssh, ansible_user: [x] }\n',
    [
      'inventory hosts.yaml:3:43 ansible_user is not a text',
      'inventory hosts.yaml:3:24 ansible_port is not a whole number',
    ],
  ],
])('%s with %j is refused', async (name, text, refused) => {
  expect(await said(name, text)).toEqual(refused);
});

test('a file of variables beside an inventory that is not YAML is named with its place', async () => {
  write('group_vars/all.yml', 'a: [1\n');
  const [first] = await said('hosts.ini', '[kube_node]\na\n');
  expect(first).toMatch(/^inventory group_vars\/all\.yml:2:1 this is not YAML/);
});

test('another tool than that of the file is refused, and so is a segment that is none', async () => {
  expect(await said('hosts.ini', '[kube_node]\na\n', { tool: 'rke' })).toEqual([
    'usage hosts.ini is an Ansible inventory, and no file of RKE',
  ]);
  expect(await said('hosts.ini', '[kube_node]\na\n', { segments: ['10.0.0.1/24'] })).toEqual([
    'usage 10.0.0.1/24 is not a network',
  ]);
});

test('a file that is not there is wrong usage', async () => {
  await expect(importFile({ file: join(folder, 'none.yaml'), segments: [], output: 'kbs.yaml' })).rejects.toThrow(
    'none.yaml cannot be read',
  );
});
