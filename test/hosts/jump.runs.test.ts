import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { interactive } from '../../src/hosts/interactive.js';
import { openPool, type Pool, type PoolOptions } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import { openTunnel } from '../../src/hosts/tunnel.js';
import type { SshLogin, SshSettings } from '../../src/inventory/cluster.js';
import { startProxy } from '../support/proxy.js';
import { freePort, makeKey, type Sshd, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

let jump: Sshd;
let inner: Sshd;
let end: Sshd;
let dir: string;
let pools: Pool[];
beforeAll(async () => {
  [jump, inner, end] = await Promise.all([startSshd(), startSshd(), startSshd()]);
});
afterAll(() => Promise.all([jump, inner, end].map((sshd) => sshd.stop())));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbs-jump-'));
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

const loginTo = (sshd: Sshd, overrides: Partial<SshLogin> = {}): SshLogin => {
  const { address, port, user, keys, knownHosts } = sshd.settings(overrides);
  return { address, port, user, keys, knownHosts };
};

/** The same sshd at the port of a proxy, which is then a known one. */
function through(sshd: Sshd, port: number): SshLogin {
  const knownHosts = join(dir, `known_hosts-${port}`);
  writeFileSync(knownHosts, readFileSync(sshd.knownHosts, 'utf8').replace(String(sshd.port), String(port)));
  return loginTo(sshd, { port, knownHosts });
}

const behind = (jumps: readonly SshLogin[], sshd = end, overrides: Partial<SshSettings> = {}): SshSettings =>
  sshd.settings({ jump: jumps, ...overrides });

const hosts = (count: number, ssh: SshSettings) =>
  Array.from({ length: count }, (_, index) => ({ name: `node-${index}`, ssh }));

/** The port that the connection of a shell on the host came from, and the one it arrived at. */
const whence = query(sh`echo "$SSH_CONNECTION"`);

describe('a host behind a jump host', () => {
  test('is reached over a connection that the jump host makes', async () => {
    const proxy = await startProxy({ to: end.port });
    try {
      const settings: SshSettings = { ...end.settings(), ...through(end, proxy.port), jump: [loginTo(jump)] };
      const { stdout } = await openTestPool().host({ name: 'node-0', ssh: settings }).query(whence);
      expect(stdout).toMatch(new RegExp(` ${end.port}\n$`));
      expect(proxy.connections()).toBe(1);
    } finally {
      await proxy.stop();
    }
  });

  test('shares the connection to the jump host with all others behind it', async () => {
    const proxy = await startProxy({ to: jump.port });
    try {
      const pool = openTestPool();
      const targets = hosts(5, behind([through(jump, proxy.port)]));
      await Promise.all(targets.map((target) => pool.host(target).query(whence)));
      expect(proxy.connections()).toBe(1);
    } finally {
      await proxy.stop();
    }
  });

  test('may be behind several, in their order', async () => {
    const first = await startProxy({ to: jump.port });
    const second = await startProxy({ to: inner.port });
    try {
      const way = [through(jump, first.port), through(inner, second.port)];
      await openTestPool()
        .host({ name: 'node-0', ssh: behind(way) })
        .query(whence);
      expect([first.connections(), second.connections()]).toEqual([1, 1]);
    } finally {
      await first.stop();
      await second.stop();
    }
  });

  test('and its jump host each have a user, a port and keys of their own', async () => {
    const isRoot = process.getuid?.() === 0;
    const other = await startSshd(isRoot ? { account: { name: 'hopper' } } : {});
    try {
      const { stdout } = await openTestPool()
        .host({ name: 'node-0', ssh: behind([loginTo(other)]) })
        .query(query(sh`id -un`));
      expect(stdout).toBe(`${end.user}\n`);
      const wrong = behind([loginTo(other, { keys: [end.key] })]);
      const failure = await failureOf(openTestPool().connect({ name: 'node-0', ssh: wrong }));
      expect(failure.why[0]).toBe(`the jump host 127.0.0.1 does not let ${other.user} in at 127.0.0.1:${other.port}`);
    } finally {
      await other.stop();
    }
  });

  test('is one of thirty that one busy sshd serves', { timeout: 60_000 }, async () => {
    const config = ['MaxStartups 10:30:60'];
    const [busy, far] = await Promise.all([startSshd({ config }), startSshd({ config })]);
    try {
      const pool = openTestPool();
      const targets = hosts(30, behind([loginTo(busy)], far));
      const answers = await Promise.all(targets.map((target) => pool.host(target).query(query(sh`echo here`))));
      expect(answers.map(({ stdout }) => stdout)).toEqual(Array(30).fill('here\n'));
    } finally {
      await Promise.all([busy.stop(), far.stop()]);
    }
  });

  test('is reached again after the jump host was lost', async () => {
    const gate = await startSshd();
    const proxy = await startProxy({ to: gate.port });
    try {
      const pool = openTestPool();
      const targets = hosts(3, behind([through(gate, proxy.port)]));
      const first = pool.host({ name: 'node-0', ssh: behind([through(gate, proxy.port)]) });
      await Promise.all(targets.map((target) => pool.connect(target)));
      const failure = await failureOf(first.query(query(sh`echo; sleep 300`), { onLine: () => gate.cut() }));
      expect(failure.code).toBe('unreachable');
      const answers = await Promise.all(targets.map((target) => pool.host(target).query(query(sh`echo back`))));
      expect(answers.map(({ stdout }) => stdout)).toEqual(Array(3).fill('back\n'));
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.stop();
      await gate.stop();
    }
  });

  test('waits for a jump host that just starts', async () => {
    const slow = await startProxy({ to: jump.port, hangUp: 1 });
    try {
      await openTestPool().connect({ name: 'node-0', ssh: behind([through(jump, slow.port)]) });
      expect(slow.connections()).toBe(2);
    } finally {
      await slow.stop();
    }
  });

  test('carries a tunnel', async () => {
    const ssh = behind([loginTo(jump)]);
    const ends = [{ host: { name: 'node-0', ssh }, address: '127.0.0.1', port: inner.port }];
    const tunnel = openTunnel(ends, { acceptNewHostKeys: false, tell: () => {}, agent: '' });
    try {
      const stream = await tunnel.dial();
      const banner = await new Promise((resolve) => stream.once('data', (chunk) => resolve(String(chunk))));
      expect(banner).toMatch(/^SSH-2.0-/);
      stream.destroy();
    } finally {
      await tunnel.close();
    }
  });
});

describe('a failure behind a jump host names both', () => {
  const place = (sshd: Sshd, port = sshd.port) => `the jump host ${sshd.user}@127.0.0.1:${port}`;

  test('where the jump host forwards nothing', async () => {
    const closed = await startSshd({ config: ['AllowTcpForwarding no'] });
    try {
      const failure = await failureOf(openTestPool().connect({ name: 'node-0', ssh: behind([loginTo(closed)]) }));
      expect(failure).toMatchObject({
        code: 'unreachable',
        message: `cannot connect to node-0 at 127.0.0.1:${end.port} through ${place(closed)}`,
        where: { host: 'node-0' },
        next: expect.stringContaining('AllowTcpForwarding local'),
      });
      expect(failure.why[0]).toBe(`the jump host 127.0.0.1 opens no connection to 127.0.0.1:${end.port}`);
    } finally {
      await closed.stop();
    }
  });

  test('where the host does not answer the jump host', { timeout: 30_000 }, async () => {
    const port = await freePort();
    const failure = await failureOf(
      openTestPool().connect({ name: 'node-0', ssh: behind([loginTo(jump)], end, { port }) }),
    );
    expect(failure.message).toBe(`cannot connect to node-0 at 127.0.0.1:${port} through ${place(jump)}`);
    expect(failure.next).toBe(`see that the machine is up, and that 127.0.0.1 reaches it at 127.0.0.1:${port}`);
  });

  test('where the host lets the user not in', async () => {
    const keys = [makeKey(join(dir, 'other'))];
    const failure = await failureOf(
      openTestPool().connect({ name: 'node-0', ssh: behind([loginTo(jump)], end, { keys }) }),
    );
    expect(failure.message).toBe(`node-0 does not let ${end.user} in at 127.0.0.1:${end.port} through ${place(jump)}`);
    expect(failure.next).toContain(`ssh -J ${jump.user}@127.0.0.1:${jump.port} -p ${end.port} `);
  });

  test('where the jump host is down', { timeout: 30_000 }, async () => {
    const port = await freePort();
    const failure = await failureOf(openTestPool().connect({ name: 'node-0', ssh: behind([loginTo(jump, { port })]) }));
    expect(failure.message).toBe(`cannot connect to node-0 at 127.0.0.1:${end.port} through ${place(jump, port)}`);
    expect(failure.why[0]).toBe(`cannot connect to the jump host 127.0.0.1 at 127.0.0.1:${port}`);
    expect(failure.next).toBe('see that sshd runs there, and listens at that port');
  });

  test('where a nested jump host does not answer', { timeout: 30_000 }, async () => {
    const port = await freePort();
    const way = [loginTo(jump), loginTo(inner, { port })];
    const failure = await failureOf(openTestPool().connect({ name: 'node-0', ssh: behind(way) }));
    expect(failure.message).toContain(`node-0 at 127.0.0.1:${end.port} through the jump host`);
    expect(failure.why[0]).toBe(
      `cannot connect to the jump host 127.0.0.1 at 127.0.0.1:${port} through ${place(jump)}`,
    );
  });
});

describe('host keys on the way', () => {
  const unknown = () => {
    const file = join(dir, 'known_hosts');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    return file;
  };

  test.each([
    ['of a jump host that is not known', { first: true }, 'the jump host 127.0.0.1'],
    ['of a host that is not known', { first: false }, 'node-0'],
  ])('%s is refused', async (_, { first }, who) => {
    const knownHosts = unknown();
    const settings = behind([loginTo(jump, first ? { knownHosts } : {})], end, first ? {} : { knownHosts });
    const failure = await failureOf(openTestPool().connect({ name: 'node-0', ssh: settings }));
    expect([failure.message, ...failure.why].join('\n')).toContain(
      `${who} at 127.0.0.1:${first ? jump.port : end.port} shows a host key that is not known`,
    );
  });

  test('are learned, each by the name of its own machine', async () => {
    const knownHosts = unknown();
    const settings = behind([loginTo(jump, { knownHosts })], end, { knownHosts });
    await openTestPool({ acceptNewHostKeys: true }).connect({ name: 'node-0', ssh: settings });
    const names = readFileSync(knownHosts, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(names).toEqual([`[127.0.0.1]:${jump.port}`, `[127.0.0.1]:${end.port}`]);
    await openTestPool().connect({ name: 'node-0', ssh: settings });
  });

  test('of another machine behind the jump host is refused', async () => {
    const knownHosts = unknown();
    const [, type, key] = readFileSync(inner.knownHosts, 'utf8').trim().split(' ');
    appendFileSync(knownHosts, `[127.0.0.1]:${end.port} ${type} ${key}\n`);
    const settings = behind([loginTo(jump)], end, { knownHosts });
    const failure = await failureOf(
      openTestPool({ acceptNewHostKeys: true }).connect({ name: 'node-0', ssh: settings }),
    );
    expect(failure.message).toMatch(/^HOST KEY CHANGED: node-0 /);
  });
});

test("the operator's own session goes over all jump hosts, with the keys and known hosts of each", async () => {
  writeFileSync(join(dir, 'a key % of mine'), readFileSync(jump.settings().keys[0] ?? ''), { mode: 0o600 });
  const ways = [loginTo(jump, { keys: [join(dir, 'a key % of mine')] }), loginTo(inner)];
  expect(await interactive(behind(ways), ['exit', '7'])).toBe(7);
  expect(await interactive(behind([loginTo(jump, { knownHosts: '/dev/null' })]), ['exit', '7'])).toBe(255);
});
