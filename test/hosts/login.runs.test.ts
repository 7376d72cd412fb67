import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import { makeKey, type Sshd, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

let sshd: Sshd;
let dir: string;
let stranger: string;
beforeAll(async () => {
  sshd = await startSshd();
  dir = mkdtempSync(join(tmpdir(), 'kbs-login-'));
  stranger = makeKey(join(dir, 'stranger'));
});
afterAll(async () => {
  await sshd.stop();
  rmSync(dir, { recursive: true });
});

async function login(keys: readonly string[], agent = ''): Promise<string> {
  const pool = openPool({ agent });
  try {
    const host = pool.host({ name: 'node-1', ssh: sshd.settings({ keys }) });
    return (await host.query(query(sh`echo in`))).stdout;
  } finally {
    await pool.close();
  }
}

/** Makes a key that the sshd lets in. */
function welcomeKey(name: string, type: string, passphrase = '', format?: string): string {
  const key = makeKey(join(dir, name), type, passphrase, format);
  appendFileSync(join(sshd.dir, 'authorized_keys'), readFileSync(`${key}.pub`));
  return key;
}

test.each([
  ['ed25519', 'OpenSSH', 'OPENSSH PRIVATE KEY'],
  ['rsa', 'OpenSSH', 'OPENSSH PRIVATE KEY'],
  ['ecdsa', 'OpenSSH', 'OPENSSH PRIVATE KEY'],
  ['rsa', 'PEM', 'RSA PRIVATE KEY'],
  ['ecdsa', 'PEM', 'EC PRIVATE KEY'],
])('a key of type %s in the format of %s opens the door', async (type, format, header) => {
  const key = welcomeKey(`${type}-${format}`, type, '', format);
  expect(readFileSync(key, 'utf8')).toContain(`BEGIN ${header}`);
  expect(await login([key])).toBe('in\n');
});

test('of several keys each is tried', async () => {
  expect(await login([stranger, makeKey(join(dir, 'another')), sshd.key])).toBe('in\n');
});

test('a refused login says what was tried', async () => {
  const failure = await failureOf(login([stranger]));
  expect(failure).toMatchObject({
    code: 'unreachable',
    message: `node-1 does not let ${sshd.user} in at 127.0.0.1:${sshd.port}`,
    where: { host: 'node-1' },
  });
  expect(failure.why).toContain(`tried the key ${stranger}`);
  expect(failure.next).toContain(`ssh -p ${sshd.port} ${sshd.user}@127.0.0.1`);
});

describe('a key is refused before anything is contacted', () => {
  test.each([
    ['that is missing', () => join(dir, 'missing'), /^cannot read the private key/],
    ['that is a folder', () => dir, /^cannot read the private key/],
    ['that is no key', () => join(sshd.dir, 'sshd_config'), /is not a private key/],
    ['that is the public half', () => `${stranger}.pub`, /is not a private key/],
    [
      'that a passphrase protects',
      () => makeKey(join(dir, 'locked'), 'ed25519', 'secret'),
      /protected by a passphrase/,
    ],
    [
      'that a passphrase protects, in PEM',
      () => makeKey(join(dir, 'pem'), 'rsa', 'secret', 'PEM'),
      /protected by a passphrase/,
    ],
  ])('%s', async (_, key, message) => {
    const failure = await failureOf(login([key()]));
    expect(failure).toMatchObject({ code: 'unreachable', where: { host: 'node-1' } });
    expect(failure.message).toMatch(message);
    expect(failure.next).toBeDefined();
  });

  test('and so is having none at all', async () => {
    expect((await failureOf(login([]))).message).toBe('there is no key to log in to node-1 with');
  });
});

describe('with an agent', () => {
  let agent: ChildProcess;
  let socket: string;
  beforeAll(async () => {
    socket = join(dir, 'agent');
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    while (!existsSync(socket)) await sleep(10);
  });
  afterAll(() => agent.kill());

  const add = (key: string, passphrase = ''): void => {
    const answer = join(dir, 'answer');
    writeFileSync(answer, `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o700 });
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: answer, SSH_ASKPASS_REQUIRE: 'force' };
    execFileSync('ssh-add', ['-q', key], { env, stdio: 'ignore' });
  };

  test('that holds no key of ours, the failure names it', async () => {
    const failure = await failureOf(login([], socket));
    expect(failure.why).toContain(`tried the keys of the ssh-agent at ${socket}`);
  });

  test('its keys open the door, after others', async () => {
    add(stranger);
    add(welcomeKey('in-agent', 'rsa'));
    expect(await login([], socket)).toBe('in\n');
  });

  test('a key that a passphrase protects is left to it', async () => {
    const locked = welcomeKey('locked-in-agent', 'ed25519', 'secret');
    add(locked, 'secret');
    expect(await login([locked], socket)).toBe('in\n');
  });

  test('that is dead, a key in a file still opens the door', async () => {
    expect(await login([sshd.key], join(dir, 'no-agent'))).toBe('in\n');
  });

  test('that is dead, the failure says so', async () => {
    const failure = await failureOf(login([stranger], join(dir, 'no-agent')));
    expect(failure.why).toContain('ssh-agent: Failed to connect to agent');
  });
});
