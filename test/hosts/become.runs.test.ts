import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mutation, query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import type { SshSettings } from '../../src/inventory/cluster.js';
import { Secret } from '../../src/secret.js';
import { lacks } from '../support/needs.js';
import { type SshdOptions, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

/** A host with a user `ops`, and kbs on a terminal on which `answer` is typed. */
async function startHost(files: Readonly<Record<string, string>>, options: Partial<SshdOptions['account']> = {}) {
  const sshd = await startSshd({ account: { name: 'ops', password: 'correct horse', ...options }, files });
  return {
    dir: sshd.dir,
    connect(answer: string | undefined, become: SshSettings['become'] = 'sudo') {
      const questions: string[] = [];
      const pool = openPool({
        agent: '',
        ask: async (question) => {
          questions.push(question);
          return answer === undefined ? undefined : new Secret(answer);
        },
      });
      const host = pool.host({ name: 'node-1', ssh: sshd.settings({ become }) });
      return { host, questions, [Symbol.asyncDispose]: () => pool.close() };
    },
    [Symbol.asyncDispose]: () => sshd.stop(),
  };
}

describe.skipIf(lacks('root', 'sudo'))('sudo with a password', () => {
  const sudoers = (...lines: readonly string[]) => ({
    sudoers: ['Defaults lecture=never', ...lines, ''].join('\n'),
    'pam.d/sudo': 'auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n',
  });
  const withPassword = 'ops ALL=(ALL:ALL) ALL';

  test('is asked once, and every script runs as root, with its payloads', async () => {
    await using host = await startHost(sudoers(withPassword));
    await using there = host.connect('correct horse');
    const bytes = Buffer.from('payload\0bytes');
    const answers = await Promise.all([
      there.host.query(query(sh`id -un; cat`)),
      there.host.mutate(mutation(sh`id -un; head -c ${bytes.length}`, [{ bytes }])),
      there.host.query(query(sh`cat /proc/*/cmdline | tr '\\0' '\\n' | grep -c 'correct hors[e]' || :`)),
    ]);
    expect(answers.map(({ stdout }) => stdout)).toEqual(['root\n', `root\n${bytes}`, '0\n']);
    expect(there.questions).toEqual(['sudo password of ops: ']);
  });

  test('that was given to sudo a moment ago never becomes a part of the script', async () => {
    await using host = await startHost(sudoers('Defaults timestamp_type=global', withPassword));
    await using there = host.connect('correct horse');
    for (const _ of [1, 2, 3]) expect((await there.host.query(query(sh`id -un; cat`))).stdout).toBe('root\n');
  });

  test('is not asked where sudo wants none', async () => {
    await using host = await startHost(sudoers('ops ALL=(ALL:ALL) NOPASSWD: ALL'));
    await using there = host.connect('never typed');
    expect((await there.host.query(query(sh`id -un`))).stdout).toBe('root\n');
    expect(there.questions).toEqual([]);
  });

  test('that is wrong is tried once, whatever is asked of the host afterwards', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbs-sudo-'));
    const log = join(dir, 'log');
    try {
      await using host = await startHost(sudoers(`Defaults logfile=${log}`, withPassword));
      await using there = host.connect('wrong');
      for (const _ of [1, 2]) {
        const failure = await failureOf(there.host.query(query(sh`id -un`)));
        expect(failure).toMatchObject({ code: 'refused', message: 'the sudo password of ops is wrong' });
        expect(failure.why).toEqual(['node-1 refused it; it was tried once']);
      }
      expect(readFileSync(log, 'utf8').match(/\d+ incorrect password attempts?/g)).toEqual([
        '1 incorrect password attempt',
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('that cannot be asked is a refusal that names the variable', async () => {
    await using host = await startHost(sudoers(withPassword));
    await using there = host.connect(undefined);
    const failure = await failureOf(there.host.query(query(sh`id -un`)));
    expect(failure).toMatchObject({ code: 'refused', message: 'node-1 does not let its user become root' });
    expect(failure.next).toContain('KBS_SUDO_PASSWORD');
  });

  test('of a user that sudoers does not name is not called wrong', async () => {
    await using host = await startHost(sudoers());
    await using there = host.connect('correct horse');
    const failure = await failureOf(there.host.query(query(sh`id -un`)));
    expect(failure.message).toBe('node-1 does not let its user become root');
  });

  test('and requiretty is told from a missing NOPASSWD', async () => {
    await using host = await startHost(sudoers('Defaults requiretty', withPassword));
    await using there = host.connect('correct horse');
    const failure = await failureOf(there.host.query(query(sh`id -un`)));
    expect(failure.next).toMatch(/!requiretty/);
    expect(failure.next).not.toMatch(/NOPASSWD/);
  });
});

describe.skipIf(lacks('root', 'opendoas'))('doas', () => {
  test('without a password runs scripts as root', async () => {
    await using host = await startHost({ 'doas.conf': 'permit nopass ops as root\n' });
    await using there = host.connect(undefined, 'doas');
    expect((await there.host.query(query(sh`id -un; cat`))).stdout).toBe('root\n');
  });

  test('with a password is a refusal that says why', async () => {
    await using host = await startHost({ 'doas.conf': 'permit ops as root\n' });
    await using there = host.connect('correct horse', 'doas');
    const failure = await failureOf(there.host.query(query(sh`id -un`)));
    expect(failure.message).toBe('node-1 does not let its user become root');
    expect(failure.next).toMatch(/nopass/);
    expect(there.questions).toEqual([]);
  });
});

describe.skipIf(lacks('root', 'sudo', 'fish', 'tcsh'))('a login shell', () => {
  const nopasswd = { sudoers: 'ops ALL=(ALL:ALL) NOPASSWD: ALL\n' };

  test.each(['/usr/bin/fish', '/usr/bin/tcsh', '/bin/bash', '/bin/dash'])(
    '%s runs scripts as the others do',
    async (shell) => {
      await using host = await startHost(nopasswd, { shell });
      await using there = host.connect(undefined);
      const { stdout } = await there.host.query(query(sh`id -un; printf '%s\\n' ${`it's "a" \\ $HOME !`}`));
      expect(stdout).toBe('root\nit\'s "a" \\ $HOME !\n');
      const late = await failureOf(there.host.query(query(sh`sleep 300`), { timeout: 300 }));
      expect(late.code).toBe('timeout');
    },
  );
});

test.skipIf(lacks('root'))('a .bashrc that reads stdin keeps the whole script from running, and is named', async () => {
  await using host = await startHost({}, { shell: '/bin/bash' });
  const trace = join(host.dir, 'trace');
  chmodSync(host.dir, 0o777);
  writeFileSync(join(host.dir, '.bashrc'), 'read -r answer\n');
  await using there = host.connect(undefined, 'none');
  const failure = await failureOf(
    there.host.mutate(mutation(sh`: > ${trace}\n: > ${trace}`, [{ bytes: Buffer.from(`\n: > ${trace}\n`) }])),
  );
  expect(failure.message).toMatch(/read a part of the script before it ran/);
  expect(failure.next).toContain('[ -t 0 ] || return');
  expect(existsSync(trace)).toBe(false);
  writeFileSync(join(host.dir, '.bashrc'), '[ -t 0 ] || return\nread -r answer\n');
  expect((await there.host.mutate(mutation(sh`: > ${trace}`))).code).toBe(0);
  expect(existsSync(trace)).toBe(true);
});
