import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sudoersText } from '../../src/cli/text/sudoers-text.js';
import { mutation, query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import { sudoAlias, sudoRule } from '../../src/hosts/sudoers.js';
import { Secret } from '../../src/secret.js';
import { lacks } from '../support/needs.js';
import { startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

const text = sudoersText({
  cluster: 'home',
  alias: sudoAlias,
  rules: [{ user: 'ops', hosts: [{ name: 'node-1', roles: ['worker'] }], line: sudoRule('ops') }],
  others: [],
});

const pam = {
  'pam.d/sudo': 'auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n',
};

describe.skipIf(lacks('root', 'sudo'))('the rule that kbs prints', () => {
  test('is one that visudo takes, whatever the user is called', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbs-sudoers-'));
    try {
      const file = join(dir, 'kbs');
      writeFileSync(file, `${text}${['DOM\\ops', '%ops', 'ops@example.com', 'o p,s'].map(sudoRule).join('\n')}\n`);
      chmodSync(file, 0o440);
      expect(execFileSync('visudo', ['-csf', file], { encoding: 'utf8' })).toMatch(/parsed OK/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test.each([
    ['over SSH', 'ssh', ''],
    ['over the ssh of this machine', 'openssh', ''],
    ['where sudo wants a terminal', 'ssh', 'Defaults requiretty, use_pty\n'],
  ] as const)('is enough %s, and for nothing else', async (_, transport, defaults) => {
    await using host = await withRule(transport, `Defaults lecture=never\n${defaults}${text}`);
    const bytes = Buffer.from('payload\0bytes');
    expect((await host.as('sudo').query(query(sh`id -un; cat`))).stdout).toBe('root\n');
    const { stdout } = await host.as('sudo').mutate(mutation(sh`id -un; head -c ${bytes.length}`, [{ bytes }]));
    expect(stdout).toBe(`root\n${bytes}`);
    const late = await failureOf(host.as('sudo').query(query(sh`sleep 300.25`), { timeout: 300 }));
    expect(late.code).toBe('timeout');
    expect((await host.as('sudo').query(query(sh`pgrep -fx 'sleep 300[.]25'`))).stdout).toBe('');
    for (const other of [sh`sudo -n id`, sh`sudo -n sh -c id`, sh`sudo -n /bin/sh -c 'set -- $(head -c 32)'`]) {
      expect((await host.as('none').query(query(other))).code).not.toBe(0);
    }
  });

  test('keeps what kbs sends out of the I/O log of sudo', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbs-sudoers-'));
    try {
      await using host = await withRule('ssh', `Defaults log_input, !compress_io, iolog_dir=${dir}\n${text}`);
      await host.as('sudo').query(query(sh`secret=hunter2; cat`));
      expect(() => execFileSync('grep', ['-rz', 'hunter2', dir])).toThrow();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('may want a password', async () => {
    await using host = await withRule('ssh', `Defaults lecture=never\n${text.replace('NOPASSWD: ', '')}`);
    expect((await host.as('sudo').query(query(sh`id -un; cat`))).stdout).toBe('root\n');
  });
});

async function withRule(transport: 'ssh' | 'openssh', sudoers: string) {
  const sshd = await startSshd({ account: { name: 'ops', password: 'correct horse' }, files: { sudoers, ...pam } });
  const pool = openPool({ agent: '', ask: async () => new Secret('correct horse') });
  return {
    as: (become: 'sudo' | 'none') => pool.host({ name: `node-1-${become}`, ssh: sshd.settings({ transport, become }) }),
    async [Symbol.asyncDispose]() {
      await pool.close();
      await sshd.stop();
    },
  };
}
