import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import { makeKey, type Sshd, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

let sshd: Sshd;
let dir: string;
let knownHosts: string;
let name: string;
beforeAll(async () => {
  sshd = await startSshd({ rsa: true });
  name = `[127.0.0.1]:${sshd.port}`;
});
afterAll(() => sshd.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbs-host-key-'));
  knownHosts = join(dir, 'known_hosts');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Asks the host one thing over a new connection. */
async function ask(acceptNewHostKeys = false, at: Sshd = sshd): Promise<string> {
  const pool = openPool({ acceptNewHostKeys });
  try {
    const host = pool.host({ name: 'node-1', ssh: at.settings({ knownHosts }) });
    return (await host.query(query(sh`echo in`))).stdout;
  } finally {
    await pool.close();
  }
}

const publicKey = (file: string): string => readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
const fingerprintOf = (file: string): string =>
  execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';

test('a host whose key is not known is refused, and its fingerprint is shown', async () => {
  const failure = await failureOf(ask());
  expect(failure).toMatchObject({ code: 'unreachable', where: { host: 'node-1' } });
  expect(failure.message).toBe(`node-1 at 127.0.0.1:${sshd.port} shows a host key that is not known`);
  expect(failure.why).toContain(`ssh-ed25519 ${fingerprintOf(join(sshd.dir, 'host_ed25519'))}`);
  expect(failure.next).toContain('--accept-new-host-keys');
  expect(existsSync(knownHosts)).toBe(false);
});

test('its key is learned where that was allowed, and known from then on', async () => {
  expect(await ask(true)).toBe('in\n');
  expect(statSync(knownHosts).mode & 0o777).toBe(0o600);
  const learned = readFileSync(knownHosts, 'utf8');
  expect(learned).toBe(`${name} ${publicKey(join(sshd.dir, 'host_ed25519'))}\n`);
  expect(await ask()).toBe('in\n');
  expect(await ask(true)).toBe('in\n');
  expect(readFileSync(knownHosts, 'utf8')).toBe(learned);
});

test('a key that changed is refused loudly, even where new keys are allowed, and nothing is learned over it', async () => {
  const stale = makeKey(join(dir, 'stale'));
  const text = `# mine\n${name} ${publicKey(stale)}\n`;
  writeFileSync(knownHosts, text);
  for (const acceptNew of [false, true]) {
    const failure = await failureOf(ask(acceptNew));
    expect(failure.code).toBe('unreachable');
    expect(failure.message).toMatch(/^HOST KEY CHANGED: /);
    expect(failure.why.join('\n')).toContain(fingerprintOf(join(sshd.dir, 'host_ed25519')));
    expect(failure.why.join('\n')).toContain(`${fingerprintOf(stale)} (${knownHosts}:2)`);
    expect(failure.next).toContain(`-R '${name}'`);
  }
  expect(readFileSync(knownHosts, 'utf8')).toBe(text);
});

test('a host known by its RSA key alone shows that one', async () => {
  writeFileSync(knownHosts, `${name} ${publicKey(join(sshd.dir, 'host_rsa'))}\n`);
  expect(await ask()).toBe('in\n');
});

test('a host known by a kind of key that it no longer has is as suspicious as one that changed', async () => {
  writeFileSync(knownHosts, `${name} ${publicKey(makeKey(join(dir, 'ecdsa'), 'ecdsa'))}\n`);
  const failure = await failureOf(ask(true));
  expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/^HOST KEY CHANGED: /) });
});

test('a revoked key is refused, whatever else knows it', async () => {
  const key = publicKey(join(sshd.dir, 'host_ed25519'));
  writeFileSync(knownHosts, `${name} ${key}\n@revoked * ${key}\n`);
  expect((await failureOf(ask(true))).message).toMatch(/^REVOKED HOST KEY: /);
});

test('hashed entries are understood', async () => {
  writeFileSync(knownHosts, `${name} ${publicKey(join(sshd.dir, 'host_ed25519'))}\n`);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
  expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
  expect(await ask()).toBe('in\n');
});

test('a file of known hosts that cannot be read accepts no host', async () => {
  knownHosts = dir;
  expect((await failureOf(ask(true))).message).toBe(`cannot read the known host keys in ${dir}`);
});

test('a learned key that cannot be written down is a failure', async () => {
  writeFileSync(join(dir, 'file'), '');
  knownHosts = join(dir, 'file', 'known_hosts');
  expect((await failureOf(ask(true))).code).toBe('unreachable');
});

test('hosts that are learned at the same time are all known afterwards', async () => {
  const pool = openPool({ acceptNewHostKeys: true });
  const addresses = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 2}`);
  const many = await startSshd({ config: addresses.map((address) => `ListenAddress ${address}`) });
  try {
    await Promise.all(
      addresses.map((address) => pool.connect({ name: address, ssh: many.settings({ address, knownHosts }) })),
    );
    const learned = readFileSync(knownHosts, 'utf8').trim().split('\n');
    const key = publicKey(join(many.dir, 'host_ed25519'));
    expect(learned.sort()).toEqual(addresses.map((address) => `[${address}]:${many.port} ${key}`).sort());
  } finally {
    await pool.close();
    await many.stop();
  }
});
