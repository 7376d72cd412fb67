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

test('a machine without an ssh client is told what it lacks', async () => {
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
