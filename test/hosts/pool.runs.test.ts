import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { openPool, type Pool, type PoolOptions } from '../../src/hosts/pool.js';
import { operatorSecrets } from '../../src/hosts/secrets.js';
import { sh } from '../../src/hosts/shell.js';
import { connect } from '../../src/hosts/ssh/connection.js';
import { openJumpHosts } from '../../src/hosts/ssh/jump.js';
import type { SshSettings } from '../../src/inventory/cluster.js';
import { startProxy } from '../support/proxy.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

let sshd: Sshd;
let dir: string;
let pools: Pool[];
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbs-pool-'));
  pools = [];
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  rmSync(dir, { recursive: true });
});

function openTestPool(options: PoolOptions = {}): Pool {
  const pool = openPool({ agent: '', ...options });
  pools.push(pool);
  return pool;
}

const target = (ssh: SshSettings, name = 'node-1') => ({ name, ssh });

/** Settings that reach the sshd at another port, which is then a known one. */
function through(port: number): SshSettings {
  const knownHosts = join(dir, `known_hosts-${port}`);
  writeFileSync(knownHosts, readFileSync(sshd.knownHosts, 'utf8').replace(String(sshd.port), String(port)));
  return sshd.settings({ port, knownHosts });
}

describe('a pool', () => {
  test('contacts no host before something is asked', async () => {
    const proxy = await startProxy({ to: sshd.port });
    try {
      const pool = openTestPool();
      const host = pool.host(target(through(proxy.port)));
      expect(proxy.connections()).toBe(0);
      expect(pool.commands().get('node-1')).toBeUndefined();
      await host.query(query(sh`true`));
      expect(proxy.connections()).toBe(1);
    } finally {
      await proxy.stop();
    }
  });

  test('makes one connection per host, however many ask at once, and counts what each host was given', async () => {
    const proxy = await startProxy({ to: sshd.port });
    try {
      const pool = openTestPool();
      const to = target(through(proxy.port));
      await Promise.all([pool.connect(to), ...Array.from({ length: 10 }, () => pool.host(to).query(query(sh`true`)))]);
      expect(proxy.connections()).toBe(1);
      expect(pool.commands()).toEqual(new Map([['node-1', 10]]));
    } finally {
      await proxy.stop();
    }
  });

  test('connects again after a connection was lost, once for all callers', async () => {
    const proxy = await startProxy({ to: sshd.port });
    try {
      const pool = openTestPool();
      const host = pool.host(target(through(proxy.port)));
      const failure = await failureOf(host.query(query(sh`echo; sleep 300`), { onLine: () => sshd.cut() }));
      expect(failure.code).toBe('unreachable');
      const answers = await Promise.all(Array.from({ length: 5 }, () => host.query(query(sh`echo back`))));
      expect(answers.map(({ stdout }) => stdout)).toEqual(Array(5).fill('back\n'));
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.stop();
    }
  });

  test('tries a host once more that hangs up before it says anything', async () => {
    const proxy = await startProxy({ to: sshd.port, hangUp: 1 });
    try {
      await openTestPool().connect(target(through(proxy.port)));
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.stop();
    }
  });

  test('tries no more than that', async () => {
    const proxy = await startProxy({ to: sshd.port, hangUp: 100 });
    try {
      const failure = await failureOf(openTestPool().connect(target(through(proxy.port))));
      expect(failure).toMatchObject({ code: 'unreachable', where: { host: 'node-1' } });
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.stop();
    }
  });

  test('makes a bounded number of connections at a time', async () => {
    const silent = await startProxy({});
    try {
      const pool = openTestPool({ parallel: 2, connectTimeout: 500 });
      const connecting = ['a', 'b', 'c'].map((name) => failureOf(pool.connect(target(through(silent.port), name))));
      await Promise.race(connecting);
      expect(silent.connections()).toBe(2);
      await Promise.all(connecting);
      expect(silent.connections()).toBe(3);
    } finally {
      await silent.stop();
    }
  });

  test('reaches forty hosts at once through one sshd as it comes', async () => {
    const pool = openTestPool();
    const hosts = Array.from({ length: 40 }, (_, index) => pool.host(target(sshd.settings(), `node-${index}`)));
    const answers = await Promise.all(hosts.map((host) => host.query(query(sh`echo here`))));
    expect(answers.map(({ stdout }) => stdout)).toEqual(Array(40).fill('here\n'));
  });

  test('takes one signal for many hosts without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const pool = openTestPool();
    const { signal } = new AbortController();
    const hosts = Array.from({ length: 15 }, (_, index) => pool.host(target(sshd.settings(), `node-${index}`)));
    await Promise.all(hosts.map((host) => host.query(query(sh`true`), { signal })));
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('does not wait for a connection when it is interrupted', async () => {
    const silent = await startProxy({});
    try {
      const stop = new AbortController();
      const host = openTestPool({ connectTimeout: 1000 }).host(target(through(silent.port)));
      const asked = failureOf(host.query(query(sh`true`), { signal: stop.signal }));
      stop.abort();
      expect((await asked).code).toBe('interrupted');
    } finally {
      await silent.stop();
    }
  });

  test('that is closed contacts no host', async () => {
    const pool = openTestPool();
    const host = pool.host(target(sshd.settings()));
    await host.query(query(sh`true`));
    await pool.close();
    await expect(host.query(query(sh`true`))).rejects.toThrow('the pool is closed');
  });

  test.each([1, 2])('gives a host that allows %i sessions no more commands at a time than that', async (sessions) => {
    const narrow = await startSshd({ config: [`MaxSessions ${sessions}`] });
    try {
      const host = openTestPool().host(target(narrow.settings()));
      // Longer in all than a refused command is asked for again.
      const answers = await Promise.all(Array.from({ length: 10 }, () => host.query(query(sh`sleep 0.6; echo ok`))));
      expect(answers.map(({ stdout }) => stdout)).toEqual(Array(10).fill('ok\n'));
    } finally {
      await narrow.stop();
    }
  });

  test('says so where a host allows no session at all', async () => {
    const none = await startSshd({ config: ['MaxSessions 0'] });
    try {
      const failure = await failureOf(openTestPool().host(target(none.settings())).query(query(sh`true`)));
      expect(failure).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('allows no more sessions'),
      });
    } finally {
      await none.stop();
    }
  });
});

describe('a host that cannot be reached', () => {
  test('because nothing listens there says so', async () => {
    const port = await freePort();
    const failure = await failureOf(openTestPool().connect(target(through(port))));
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: `cannot connect to node-1 at 127.0.0.1:${port}`,
      where: { host: 'node-1' },
      why: [expect.stringContaining('ECONNREFUSED')],
      next: 'see that sshd runs there, and listens at that port',
    });
  });

  test('because it never answers says so', async () => {
    const silent = await startProxy({});
    try {
      const pool = openTestPool({ connectTimeout: 300 });
      const failure = await failureOf(pool.connect(target(through(silent.port))));
      expect(failure).toMatchObject({ code: 'unreachable', where: { host: 'node-1' } });
      expect(failure.why[0]).toMatch(/timed out/i);
    } finally {
      await silent.stop();
    }
  });

  test('because it fell silent is noticed', async () => {
    const proxy = await startProxy({ to: sshd.port });
    try {
      const options = {
        acceptNewHostKeys: false,
        timeout: 5000,
        agent: undefined,
        secrets: operatorSecrets(async () => undefined),
        keepalive: { interval: 100, count: 2 },
      };
      const jumps = openJumpHosts(options);
      const connection = await connect({ ...options, host: 'node-1', ssh: through(proxy.port), jumps });
      const running = await connection.start();
      running.stdout.resume();
      running.stderr.resume();
      proxy.fallSilent();
      const failure = await failureOf(running.ended);
      expect(failure).toMatchObject({ code: 'unreachable', why: ['Keepalive timeout'] });
      expect(connection.closed()).toBe(true);
    } finally {
      await proxy.stop();
    }
  });

  test('is asked anew the next time', async () => {
    const port = await freePort();
    const pool = openTestPool();
    const host = pool.host(target(through(port)));
    await failureOf(host.query(query(sh`true`)));
    const late = await startSshd({ port });
    try {
      const failure = await failureOf(host.query(query(sh`true`)));
      expect(failure.message).toMatch(/^HOST KEY CHANGED/);
    } finally {
      await late.stop();
    }
  });
});

test('a command that ends at once is never taken for a lost connection', async () => {
  const host = openTestPool().host(target(sshd.settings()));
  const failing = Array.from({ length: 200 }, () => host.query(query(sh`exit 3`)));
  expect(new Set((await Promise.all(failing)).map(({ code }) => code))).toEqual(new Set([3]));
});

describe('a host that says no', () => {
  test.each([
    ['sudo: a password is required', 'exit 1', /KBS_SUDO_PASSWORD.*kbs sudoers/],
    ['sudo: interactive authentication is required', 'exit 1', /KBS_SUDO_PASSWORD.*kbs sudoers/],
    ['sudo: sorry, you must have a tty to run sudo', 'exit 1', /requiretty/],
    ['ops is not in the sudoers file.', 'echo "sudo: ops may not run sudo" >&2; exit 1', /^install sudo .*kbs sudoers/],
  ])('to sudo is a refusal with advice (%s)', async (said, how, next) => {
    await withSudo(`echo '${said}' >&2; ${how}`, async (settings) => {
      const failure = await failureOf(openTestPool().host(target(settings)).query(query(sh`echo never`)));
      expect(failure).toMatchObject({
        code: 'refused',
        message: 'node-1 does not let its user become root',
        where: { host: 'node-1' },
        next: expect.stringMatching(next),
      });
      expect(failure.why).toContain(said);
    });
  });

  test('to nothing, lets sudo run the script without a password prompt', async () => {
    await withSudo('export HOW="$1"; shift; exec "$@"', async (settings) => {
      const answer = await openTestPool().host(target(settings)).query(query(sh`echo "sudo $HOW"`));
      expect(answer).toEqual({ code: 0, stdout: 'sudo -n\n', stderr: '' });
    });
  });

  test('because it has no sudo is a refusal with advice', async () => {
    await withSudo(undefined, async (settings) => {
      const failure = await failureOf(openTestPool().host(target(settings)).query(query(sh`echo never`)));
      expect(failure).toMatchObject({ code: 'refused', message: 'node-1 does not let its user become root' });
    });
  });

  test('to scripts altogether is a refusal, and no empty success', async () => {
    const strict = await startSshd({ config: ['ForceCommand echo backups only'] });
    try {
      const failure = await failureOf(openTestPool().host(target(strict.settings())).query(query(sh`true`)));
      expect(failure).toMatchObject({
        code: 'refused',
        message: 'node-1 did not run the script it was given',
        why: ['backups only'],
      });
    } finally {
      await strict.stop();
    }
  });
});

test('what a login shell says before the script is no answer', async () => {
  const chatty = await startSshd({
    config: ['ForceCommand echo Welcome; printf "no newline"; exec sh -c "$SSH_ORIGINAL_COMMAND"'],
  });
  try {
    const lines: string[] = [];
    const host = openTestPool().host(target(chatty.settings()));
    const { stdout } = await host.query(query(sh`echo answer`), { onLine: (line) => lines.push(line) });
    expect(stdout).toBe('answer\n');
    expect(lines).toEqual(['answer']);
  } finally {
    await chatty.stop();
  }
});

/** A host with a sudo of our own as its only one; `undefined` for a host that has none. */
async function withSudo(script: string | undefined, use: (settings: SshSettings) => Promise<void>): Promise<void> {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  chmodSync(dir, 0o755);
  for (const name of ['sh', 'head', 'env']) symlinkSync(`/usr/bin/${name}`, join(bin, name));
  if (script !== undefined) writeFileSync(join(bin, 'sudo'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const isRoot = process.getuid?.() === 0;
  const host = await startSshd({ env: { PATH: bin }, ...(isRoot ? { account: { name: 'ops' } } : {}) });
  try {
    await use(host.settings({ become: 'sudo' }));
  } finally {
    await host.stop();
  }
}
