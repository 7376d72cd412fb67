import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sudoersText } from '../../src/cli/text/sudoers-text.js';
import { sudoRules } from '../../src/workflows/sudoers.js';

const folder = mkdtempSync(join(tmpdir(), 'kbs-sudoers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'kbs.yaml');
writeFileSync(
  file,
  `apiVersion: kbs/v1
cluster: home
kubernetes: { version: 1.36.3 }
network: { segments: { lan: { cidr: 192.168.20.0/24 } } }
ssh: { user: ops, config: none }
hosts:
  cp-0: { address: 192.168.20.10, roles: [control-plane, worker] }
  w-0: { address: 192.168.20.20, roles: [worker] }
  w-1: { address: 192.168.20.21, roles: [worker], ssh: { user: admin } }
  w-2: { address: 192.168.20.22, roles: [worker], ssh: { user: root } }
  w-3: { address: 192.168.20.23, roles: [worker], ssh: { become: doas } }
  w-4: { address: 192.168.20.24, roles: [worker], ssh: { become: none } }
`,
);

test('each user that uses sudo has one rule, with its hosts and their roles, and the other hosts are named', async () => {
  const lines = sudoersText(await sudoRules(file, [])).split('\n');
  expect(lines.slice(lines.indexOf('Defaults!KBS !requiretty, !log_input') + 1)).toEqual([
    '# cp-0 (control-plane, worker), w-0 (worker)',
    'ops ALL = (root) NOPASSWD: KBS',
    '# w-1 (worker)',
    'admin ALL = (root) NOPASSWD: KBS',
    '# w-2 needs no rule: kbs runs as root there',
    '# w-3 needs no rule: ops becomes root by doas',
    '# w-4 needs no rule: kbs runs as ops there',
    '',
  ]);
});

test('the rule of one host is that of its user alone', async () => {
  const { rules, others } = await sudoRules(file, ['w-1']);
  expect([rules.map(({ user }) => user), others]).toEqual([['admin'], []]);
});

test('where no host uses sudo, nothing is allowed', async () => {
  expect(sudoersText(await sudoRules(file, ['w-2']))).not.toMatch(/^[^#\n]/m);
});

test('a host that is not there is named', async () => {
  await expect(sudoRules(file, ['w-9'])).rejects.toThrow('w-9');
});
