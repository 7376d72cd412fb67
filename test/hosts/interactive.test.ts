import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { interactive } from '../../src/hosts/interactive.js';
import type { SshSettings } from '../../src/inventory/cluster.js';

const settings: SshSettings = {
  transport: 'local',
  address: '127.0.0.1',
  port: 22,
  user: 'root',
  become: 'none',
  keys: [],
  knownHosts: '/dev/null',
};

test('a shell reads the words as one line, and its exit status is given', async () => {
  expect(await interactive(settings, ['echo a |', 'grep -q b ||', 'exit', '3'])).toBe(3);
});

test('no value of the inventory is an option of ssh, and what follows the address is the command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-interactive-'));
  const path = process.env.PATH;
  writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${join(folder, 'argv')}\n`);
  chmodSync(join(folder, 'ssh'), 0o755);
  process.env.PATH = `${folder}:${path}`;
  try {
    const hostile = { user: '-oProxyCommand=x', address: '-oAddress', keys: ['/k%1'], knownHosts: '/a "b"/c' };
    await interactive({ ...settings, transport: 'ssh', ...hostile }, ['-v', '--', 'a']);
    expect(readFileSync(join(folder, 'argv'), 'utf8').trimEnd().split('\n')).toEqual([
      ...['-p', '22', '-o', 'UserKnownHostsFile="/a \\"b\\"/c"', '-o', 'StrictHostKeyChecking=yes'],
      ...['-o', 'ConnectTimeout=10', '-o', 'IdentityFile=/k%%1'],
      ...['-l', '-oProxyCommand=x', '--', '-oAddress', '-v', '--', 'a'],
    ]);
  } finally {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  }
});

test('without an ssh client the failure says what to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await expect(interactive({ ...settings, transport: 'ssh' }, [])).rejects.toMatchObject({
      code: 'preflight',
      message: 'this machine could not start ssh',
      next: expect.stringContaining('openssh-client'),
    });
  } finally {
    process.env.PATH = path;
  }
});
