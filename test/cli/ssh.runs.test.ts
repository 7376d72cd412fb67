import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { separateRemoteCommand } from '../../src/cli/separate-remote-command.js';
import Ssh from '../../src/commands/ssh.js';
import { kbsIn } from './process.js';

const flags = { ...Ssh.baseFlags, ...Ssh.flags };

it.each([
  ['c0', 'c0'],
  ['c0 uptime', 'c0 -- uptime'],
  ['c0 journalctl -u kubelet -n 50', 'c0 -- journalctl -u kubelet -n 50'],
  ['c0 systemctl status kubelet -v', 'c0 -- systemctl status kubelet -v'],
  ['c0 -i kbs.yaml kubectl get pods -A', 'c0 -i kbs.yaml -- kubectl get pods -A'],
  ['-i kbs.yaml c0 uptime', '-i kbs.yaml c0 -- uptime'],
  ['-v c0 --inventory kbs.yaml uptime', '-v c0 --inventory kbs.yaml -- uptime'],
  ['c0 --inventory=kbs.yaml uptime', 'c0 --inventory=kbs.yaml -- uptime'],
  ['c0 -ikbs.yaml uptime', 'c0 -ikbs.yaml -- uptime'],
  ['c0 -i=kbs.yaml uptime', 'c0 -i=kbs.yaml -- uptime'],
  ['c0 -vi kbs.yaml uptime', 'c0 -vi kbs.yaml -- uptime'],
  ['c0 -i c0 c0 c0', 'c0 -i c0 -- c0 c0'],
  ['c0 -i kbs.yaml -- grep -i error f', 'c0 -i kbs.yaml -- grep -i error f'],
  ['c0 git log -- f', 'c0 -- git log -- f'],
  ['-- c0 uptime', '-- c0 uptime'],
  ['c0 --inventroy kbs.yaml', 'c0 --inventroy -- kbs.yaml'],
  ['c0 -i', 'c0 -i'],
  ['', ''],
])('the remote command of `kbs ssh %s` begins behind --: %s', (given, expected) => {
  expect(separateRemoteCommand(given.split(' '), flags).join(' ')).toBe(expected);
});

const folder = mkdtempSync(join(tmpdir(), 'kbs-ssh-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Stands where ssh would, and prints the words that it got, a line each.
writeFileSync(join(folder, 'ssh'), '#!/bin/sh\n[ "$3" = -G ] && exit\nprintf "%s\\n" "$@"\nexit 7\n');
chmodSync(join(folder, 'ssh'), 0o755);

const root = fileURLToPath(new URL('../..', import.meta.url));
const inventory = 'inventories/two-segments.yaml';

/** Runs kbs where no lab stands. */
function kbs(...args: readonly string[]) {
  const ended = kbsIn(root, args, { PATH: `${folder}:${process.env.PATH}`, KBS_LAB_HOME: folder });
  const words = ended.stdout.split('\n').slice(0, -1);
  const address = words.indexOf('192.168.10.10');
  return { ...ended, before: words.slice(0, address), remote: words.slice(address + 1) };
}

it.each([
  ['grep', '-i', 'error', inventory],
  ['journalctl', '-u', 'kubelet', '-n', '50', '-v', '--json', '--no-color'],
  ['echo', 'controller-00', '', 'b', 'a', 'b', '--', '-i', 'echo'],
  ["echo 'one  word' | wc -l"],
])('words for the host reach ssh as they are and in order: %j', (...command) => {
  const { before, remote, code } = kbs('ssh', 'controller-00', '-i', inventory, ...command);
  expect([before.slice(-3), remote, code]).toEqual([['-l', 'root', '--'], command, 7]);
});

it('behind -- even -h is a word for the host', () => {
  expect(kbs('ssh', '-i', inventory, 'controller-00', '--', 'df', '-h').remote).toEqual(['df', '-h']);
});

it('a word that looks like a flag of kbs and is none is refused', () => {
  const { code, stderr, stdout } = kbs('ssh', 'controller-00', '--json', '-i', inventory, 'uptime');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Nonexistent flag: --json');
});

it('lab ssh does not go to the real machine where no lab stands', () => {
  const { code, stderr, stdout } = kbs('lab', 'ssh', 'controller-00', '-i', inventory, 'systemctl', 'stop', 'kubelet');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('no lab of two-segments stands on this machine');
});

it('a user name that ssh would take for an option is a mistake of the inventory', () => {
  const marker = join(folder, 'owned');
  writeFileSync(
    join(folder, 'kbs.yaml'),
    `apiVersion: kbs/v1
cluster: c
kubernetes: { version: 1.36.3 }
network: { segments: { lan: { cidr: 192.0.2.0/24 } } }
hosts:
  c0:
    address: 192.0.2.10
    roles: [control-plane]
    ssh: { user: "-oProxyCommand=touch\${IFS}${marker};x" }
`,
  );
  const { code, stderr, stdout } = kbs('ssh', 'c0', '-i', join(folder, 'kbs.yaml'), 'uptime');
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toContain(`${join(folder, 'kbs.yaml')}:9:18: error: hosts.c0.ssh.user: -oProxyCommand=touch`);
  expect(stderr).toContain('is not a user name');
});

it('help shows where the command for the host begins', () => {
  const { stdout } = kbs('ssh', '--help');
  expect(stdout).toContain('kbs ssh HOST [-i FILE] [-v] [--no-color] [COMMAND...]');
  expect(stdout).toContain('journalctl -u kubelet -n 50');
  expect(stdout).not.toContain('--json');
});
