import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import type { AskSecret } from '../../src/hosts/secrets.js';
import { sh } from '../../src/hosts/shell.js';
import type { SshSettings } from '../../src/inventory/cluster.js';
import { Secret } from '../../src/secret.js';
import { lacks } from '../support/needs.js';
import { makeKey, type Sshd, type SshdOptions, startSshd } from '../support/sshd.js';
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

const noTerminal = async (): Promise<undefined> => undefined;

async function login(keys: readonly string[], agent = '', ask: AskSecret = noTerminal): Promise<string> {
  const pool = openPool({ agent, ask });
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

describe('a key in PKCS#8 opens the door', () => {
  test.each([
    ['of type RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['of type ECDSA', () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' })],
    ['of type Ed25519', () => generateKeyPairSync('ed25519')],
  ])('%s', async (type, make) => {
    const { privateKey, publicKey } = make();
    const path = join(dir, `pkcs8-${type.replaceAll(' ', '-')}`);
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    expect(readFileSync(path, 'utf8')).toContain('BEGIN PRIVATE KEY');
    const { x = '' } = publicKey.export({ format: 'jwk' });
    // The ssh-keygen of Debian 12 does not read Ed25519 keys in this format.
    const line = type.endsWith('Ed25519')
      ? `ssh-ed25519 ${wire('ssh-ed25519', Buffer.from(x, 'base64url')).toString('base64')}\n`
      : execFileSync('ssh-keygen', ['-y', '-f', path]);
    appendFileSync(join(sshd.dir, 'authorized_keys'), line);
    expect(await login([path])).toBe('in\n');
  });
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
    ['that is in a security key', fidoKey, /is a FIDO key/],
    [
      'that a passphrase protects, in PKCS#8',
      () => {
        const path = join(dir, 'locked-pkcs8');
        const { privateKey } = generateKeyPairSync('ed25519');
        const text = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
        writeFileSync(path, text);
        return path;
      },
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

/** A key file as ssh-keygen makes it for a security key, as far as its public half. */
function fidoKey(): string {
  const path = join(dir, 'sk');
  const type = 'sk-ssh-ed25519@openssh.com';
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    wire('none', 'none', ''),
    Buffer.from([0, 0, 0, 1]),
    wire(wire(type, Buffer.alloc(32), 'ssh:')),
  ]);
  writeFileSync(
    path,
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`,
  );
  return path;
}

/** Strings as SSH sends them (RFC 4251, 5). */
const wire = (...fields: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(Buffer.byteLength(field));
      return [size, Buffer.from(field as Buffer)];
    }),
  );

test('a certificate beside the key is said to be of no use', async () => {
  const ca = makeKey(join(dir, 'ca'));
  const key = makeKey(join(dir, 'certified'));
  execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'ops', '-n', sshd.user, '-V', '+1d', `${key}.pub`]);
  await using host = await sshdWith([`TrustedUserCAKeys ${ca}.pub`]);
  const failure = await failureOf(host.login([key]));
  expect(failure.why).toContain(`${key}-cert.pub is a certificate, and the SSH of kbs does not support certificates`);
  expect(failure.next).toMatch(/transport: openssh.*authorized_keys/);
});

describe('a host that', () => {
  test('wants more than the key is not told to learn the key', async () => {
    await using host = await sshdWith(['PasswordAuthentication yes', 'AuthenticationMethods publickey,password']);
    const failure = await failureOf(host.login());
    expect(failure.message).toMatch(/takes the key .* and wants more before it lets/);
    expect(failure.why[0]).toMatch(/^it asks for password besides the key/);
    expect(failure.next).toContain('ssh: { password: ask }');
    expect(failure.next).toContain('ssh: { transport: openssh }');
    expect(failure.next).not.toMatch(/authorized_keys/);
  });

  test('takes two keys one after the other gets two', async () => {
    await using host = await sshdWith(['AuthenticationMethods publickey,publickey']);
    const second = makeKey(join(dir, 'second'));
    appendFileSync(join(host.dir, 'authorized_keys'), readFileSync(`${second}.pub`));
    expect(await host.login([host.key, stranger, second])).toBe('in\n');
  });

  test('takes no keys is told so', async () => {
    await using host = await sshdWith(['PasswordAuthentication yes', 'PubkeyAuthentication no']);
    const failure = await failureOf(host.login());
    expect(failure.why).toContain('it takes password, and no keys');
    expect(failure.next).toContain('ssh: { password: ask }');
  });

  test.each([
    ['key exchange', ['KexAlgorithms sntrup761x25519-sha512@openssh.com'], /KexAlgorithms \+curve25519-sha256$/],
    ['cipher', ['Ciphers aes256-cbc'], /Ciphers \+aes256-gcm@openssh.com,aes256-ctr$/],
    ['MAC', ['Ciphers aes256-ctr', 'MACs umac-64@openssh.com'], /MACs \+hmac-sha2-256-etm@openssh.com$/],
  ])('has no %s algorithm in common is told which line to add', async (kind, config, next) => {
    await using host = await sshdWith(config);
    const failure = await failureOf(host.login());
    expect(failure.message).toMatch(new RegExp(`and kbs have no ${kind} algorithm in common$`));
    expect(failure.next).toMatch(next);
  });

  test('signs with SHA-1 only is too old, and not another machine', async () => {
    await using host = await sshdWith(['HostKeyAlgorithms ssh-rsa'], { rsa: true });
    const unknown = await failureOf(host.login([host.key], { knownHosts: join(dir, 'none') }));
    expect(unknown.message).toMatch(/shows no kind of host key that kbs accepts$/);
    expect(unknown.next).toMatch(/ssh-keygen -A/);
  });
});

describe('a login that takes too long', () => {
  let server: ssh2.Server;
  let silent: Server;
  const portOf = (listener: Pick<Server, 'address'>): number => {
    const address = listener.address();
    return address && typeof address === 'object' ? address.port : 0;
  };
  beforeAll(async () => {
    server = new ssh2.Server({ hostKeys: [readFileSync(makeKey(join(dir, 'slow-host')))] }, (client) => {
      // It never answers the question of the login.
      client.on('authentication', () => {}).on('error', () => {});
    });
    silent = createServer();
    for (const listener of [server, silent])
      await new Promise<void>((up) => listener.listen(0, '127.0.0.1', () => up()));
  });
  afterAll(() => {
    server.close();
    silent.close();
  });
  const attempt = async (port: number): Promise<void> => {
    const pool = openPool({ agent: '', acceptNewHostKeys: true });
    const ssh = sshd.settings({ port, knownHosts: join(dir, 'slow'), timeout: 1 });
    try {
      await pool.connect({ name: 'node-1', ssh });
    } finally {
      await pool.close();
    }
  };

  test('names its limit and how to raise it', async () => {
    const failure = await failureOf(attempt(portOf(server)));
    expect(failure.message).toMatch(/did not finish the login of .* within 1 s$/);
    expect(failure.next).toContain('ssh: { timeout: 60 }');
  });

  test('is told from a port where no SSH is spoken', async () => {
    const failure = await failureOf(attempt(portOf(silent)));
    expect(failure.message).toMatch(/takes a connection .* and did not speak SSH within 1 s$/);
  });
});

/** An sshd with more lines in its configuration. */
async function sshdWith(config: readonly string[], options: SshdOptions = {}) {
  const started = await startSshd({ ...options, config });
  return {
    dir: started.dir,
    key: started.key,
    async login(
      keys = [started.key],
      overrides: Partial<SshSettings> = {},
      ask: AskSecret = noTerminal,
    ): Promise<string> {
      const pool = openPool({ agent: '', acceptNewHostKeys: true, ask });
      try {
        const host = pool.host({ name: 'node-1', ssh: started.settings({ keys, ...overrides }) });
        return (await host.query(query(sh`echo in`))).stdout;
      } finally {
        await pool.close();
      }
    },
    [Symbol.asyncDispose]: () => started.stop(),
  };
}

/** Types one answer at every question, and keeps the questions. */
function typing(answer: string) {
  const questions: string[] = [];
  const ask: AskSecret = async (question) => {
    questions.push(question);
    return new Secret(answer);
  };
  return { questions, ask };
}

describe('a passphrase', () => {
  test.each([
    ['in OpenSSH format', (path: string) => makeKey(path, 'ed25519', 'secret')],
    ['in PEM', (path: string) => makeKey(path, 'rsa', 'secret', 'PEM')],
    [
      'in PEM without its public half',
      (path: string) => {
        makeKey(path, 'ecdsa', 'secret', 'PEM');
        renameSync(`${path}.pub`, `${path}.elsewhere`);
        return path;
      },
    ],
    [
      'in PKCS#8',
      (path: string) => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        writeFileSync(
          path,
          privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
        );
        chmodSync(path, 0o600);
        return path;
      },
    ],
  ])('of a key %s is asked once, however often kbs connects', async (format, make) => {
    const key = make(join(dir, `asked-${format.replaceAll(/\W/g, '-')}`));
    const line = execFileSync('ssh-keygen', ['-y', '-P', 'secret', '-f', key]);
    appendFileSync(join(sshd.dir, 'authorized_keys'), line);
    const { questions, ask } = typing('secret');
    const pool = openPool({ agent: '', ask });
    try {
      const targets = ['node-1', 'node-2'].map((name) => ({ name, ssh: sshd.settings({ keys: [key] }) }));
      await Promise.all(targets.map((target) => pool.connect(target)));
    } finally {
      await pool.close();
    }
    expect(questions).toEqual([`Passphrase of ${key}: `]);
  });

  test('is not asked for a key that the host does not take', async () => {
    const { questions, ask } = typing('secret');
    const locked = makeKey(join(dir, 'locked-stranger'), 'ed25519', 'secret');
    expect(await login([locked, sshd.key], '', ask)).toBe('in\n');
    expect(questions).toEqual([]);
  });

  test.each([
    ['that is wrong is named', typing('wrong').ask, /protected by another passphrase than the one that was given/],
    ['that cannot be asked is named', noTerminal, /protected by a passphrase, and no agent holds it/],
  ])('%s', async (name, ask, why) => {
    const key = welcomeKey(`passphrase-${name.replaceAll(' ', '-')}`, 'ed25519', 'secret');
    const failure = await failureOf(login([key], '', ask));
    expect(failure.message).toBe(`the private key ${key} is protected by a passphrase`);
    expect(failure.why).toContainEqual(expect.stringMatching(why));
    expect(failure.next).toContain('KBS_SSH_PASSPHRASE');
  });
});

describe.skipIf(lacks('root'))('a password', () => {
  const account = { name: 'ops', password: 'correct horse' };
  const files = {
    'pam.d/sshd': 'auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n',
  };
  const plain = ['PasswordAuthentication yes'];
  const interactive = ['UsePAM yes', 'KbdInteractiveAuthentication yes'];

  test.each([
    ['alone', [...plain, 'PubkeyAuthentication no']],
    ['by a question of PAM', [...interactive, 'PubkeyAuthentication no']],
    ['after a key', [...plain, 'AuthenticationMethods publickey,password']],
    ['after a key, by a question of PAM', [...interactive, 'AuthenticationMethods publickey,keyboard-interactive']],
  ])('opens the door %s', async (_, config) => {
    await using host = await sshdWith(config, { account, files });
    const { questions, ask } = typing('correct horse');
    expect(await host.login([host.key], { password: 'ask' }, ask)).toBe('in\n');
    expect(questions).toEqual(['SSH password of ops: ']);
  });

  test('needs no key at all', async () => {
    await using host = await sshdWith(plain, { account, files });
    expect(await host.login([], { password: 'ask' }, typing('correct horse').ask)).toBe('in\n');
  });

  test('is not asked where a key is enough, nor where the inventory does not allow it', async () => {
    const { questions, ask } = typing('correct horse');
    await using host = await sshdWith(plain, { account, files });
    expect(await host.login([host.key], { password: 'ask' }, ask)).toBe('in\n');
    await failureOf(host.login([stranger], {}, ask));
    expect(questions).toEqual([]);
  });

  test.each([
    ['plainly', plain],
    ['by a question of PAM', interactive],
  ])('that is wrong is given once %s, and said to be refused', async (_, config) => {
    await using host = await sshdWith([...config, 'PubkeyAuthentication no'], { account, files });
    const { questions, ask } = typing('wrong');
    const failure = await failureOf(host.login([host.key], { password: 'ask' }, ask));
    expect(failure.why).toContain('the password was refused; it was tried once');
    expect(questions).toHaveLength(1);
  });

  test('that cannot be asked is a refusal that names the variable', async () => {
    await using host = await sshdWith([...plain, 'PubkeyAuthentication no'], { account, files });
    expect((await failureOf(host.login([host.key], { password: 'ask' }))).next).toContain('KBS_SSH_PASSWORD');
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

  test('a key is also named by its public half alone', async () => {
    const key = welcomeKey('by-its-public-half', 'ed25519');
    add(key);
    expect(await login([`${key}.pub`], socket)).toBe('in\n');
  });

  test('that is dead does not keep a locked key from being offered', async () => {
    const locked = makeKey(join(dir, 'in-no-agent'), 'ed25519', 'secret');
    const { why } = await failureOf(login([locked], join(dir, 'no-agent')));
    expect(why).toEqual(expect.arrayContaining([`tried the key ${locked}`, 'ssh-agent: Failed to connect to agent']));
  });

  describe('that holds more keys than the host lets anyone try', () => {
    beforeAll(() => {
      execFileSync('ssh-add', ['-q', '-D'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      for (let count = 1; count <= 7; count++) add(makeKey(join(dir, `other-${count}`)));
    });

    test.each([
      ['locked, in OpenSSH format', 'ed25519', 'secret', undefined],
      ['locked, in PEM', 'rsa', 'secret', 'PEM'],
      ['not locked', 'ecdsa', '', undefined],
    ])('the named key is offered first: %s', async (name, type, passphrase, format) => {
      const key = welcomeKey(`named-${name}`.replaceAll(/\W/g, '-'), type, passphrase, format);
      add(key, passphrase);
      expect(await login([key], socket)).toBe('in\n');
    });

    test('and no key is named, the failure says what to do', async () => {
      const failure = await failureOf(login([], socket));
      expect(failure.why).toContain('Too many authentication failures');
      expect(failure.next).toMatch(/^name the right key first in `ssh.key`/);
    });
  });

  test('that is dead, a key in a file still opens the door', async () => {
    expect(await login([sshd.key], join(dir, 'no-agent'))).toBe('in\n');
  });

  test('that is dead, the failure says so', async () => {
    const failure = await failureOf(login([stranger], join(dir, 'no-agent')));
    expect(failure.why).toContain('ssh-agent: Failed to connect to agent');
  });
});
