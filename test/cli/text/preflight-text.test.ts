import { expect, test } from 'vitest';
import { preflightText } from '../../../src/cli/text/preflight-text.js';
import type { CheckResult } from '../../../src/preflight/check.js';

const steal: CheckResult = {
  name: 'steal',
  scope: 'host',
  hosts: ['w-0'],
  ok: true,
  warning: true,
  detail: 'its hypervisor is busy',
  next: 'give it CPUs of its own',
};

test('a warning is shown with what to do, and the hosts are ready all the same', () => {
  const root: CheckResult = { name: 'root', scope: 'host', hosts: ['w-0'], ok: true, detail: 'commands run as root' };
  const mac: CheckResult = { ...steal, name: 'mac', scope: 'cluster', hosts: ['w-0', 'w-1'] };
  const hosts = [{ name: 'w-0' }, { name: 'w-1' }];
  expect(preflightText({ cluster: 'small', hosts, checks: [root, steal, mac], advice: [] })).toBe(`w-0
  ! steal: its hypervisor is busy
    → give it CPUs of its own
cluster small
  ! mac: its hypervisor is busy (w-0, w-1)
    → give it CPUs of its own
ready: 2 hosts of cluster small, no check failed, 2 warnings
`);
});
