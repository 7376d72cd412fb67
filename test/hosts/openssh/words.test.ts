import { expect, test } from 'vitest';
import { loginWords } from '../../../src/hosts/openssh/words.js';
import type { SshSettings } from '../../../src/inventory/cluster.js';

const settings: SshSettings = {
  transport: 'openssh',
  address: '10.1.0.20',
  port: 2222,
  user: 'ops',
  become: 'sudo',
  keys: ['/keys/id'],
  knownHosts: '/known hosts',
};

const always = ['-p', '2222', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=10', '-l', 'ops'];

/** The words, without those that are always there. */
const more = (changes: Partial<SshSettings>) =>
  loginWords({ ...settings, ...changes }).filter((word) => !always.includes(word));

const known = 'UserKnownHostsFile="/known hosts"';

test.each<[string, Partial<SshSettings>, readonly string[]]>([
  [
    'its configuration is to be ignored, all is said',
    {},
    ['-F', 'none', known, 'IdentityFile=/keys/id', 'ProxyCommand=none', '--', '10.1.0.20'],
  ],
  ['the inventory says nothing, all is its own', { open: ['key', 'knownHosts', 'jump'] }, ['--', '10.1.0.20']],
  [
    'that is so, it is so for a jump host, too',
    { jump: [{ address: 'hop', port: 22, user: 'ops', keys: [], knownHosts: '/known' }] },
    [
      ...['-F', 'none', known, 'IdentityFile=/keys/id'],
      "ProxyCommand=ssh -F none -p 22 -o UserKnownHostsFile=/known -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -l ops -W '[%h]:%p' -- hop",
      ...['--', '10.1.0.20'],
    ],
  ],
  [
    'the inventory says it, it is said',
    { open: ['user'] },
    [known, 'IdentityFile=/keys/id', 'ProxyCommand=none', '--', '10.1.0.20'],
  ],
  [
    'its configuration knows a host by its name, it is given the name',
    { open: ['key', 'knownHosts', 'jump'], destination: 'worker-00' },
    ['--', 'worker-00'],
  ],
])('where %s', (_, changes, words) => {
  expect(more(changes)).toEqual(words);
});
