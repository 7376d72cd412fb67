import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kbsIn } from './process.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-status-'));
  // A key that is no key: every host is out of reach before anything is sent.
  writeFileSync(
    join(folder, 'kbs.yaml'),
    `apiVersion: kbs/v1
cluster: lost
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 }
ssh: { key: ./none }
hosts:
  c0: { address: 192.0.2.10, roles: [control-plane] }
  w0: { address: 192.0.2.20, roles: [worker] }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const status = (...args: readonly string[]) => kbsIn(folder, ['status', ...args]);

let text: ReturnType<typeof status>;
beforeAll(() => {
  text = status();
});

it('hosts that cannot be reached are shown with the reason and the next step, and without a control plane it is status 5', () => {
  const json = status('--json');
  const { hosts } = JSON.parse(json.stdout) as { hosts: { name: string; problem: Record<string, unknown> }[] };
  expect(json.code).toBe(5);
  expect(hosts.map(({ name, problem }) => [name, problem.code])).toEqual([
    ['c0', 'unreachable'],
    ['w0', 'unreachable'],
  ]);

  expect(text.code).toBe(5);
  for (const { problem } of hosts) {
    expect(problem).toMatchObject({ why: [expect.any(String)], next: expect.any(String) });
    for (const each of [problem.what, ...(problem.why as readonly string[]), problem.next]) {
      expect(text.stdout).toContain(each);
    }
  }
});

it('a machine without the keyring does not say that the cluster has no certificates', () => {
  expect(text.stdout).toContain('certificates: no keyring in .kbs/lost on this machine');
});
