import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { query } from '../../../src/hosts/host.js';
import { openPool, type Pool, type PoolOptions } from '../../../src/hosts/pool.js';
import { sh } from '../../../src/hosts/shell.js';
import { askSsh, sshCompletion } from '../../../src/hosts/ssh/ssh-config.js';
import type { SshLogin, SshSettings } from '../../../src/inventory/cluster.js';
import { Secret } from '../../../src/secret.js';
import { lacks } from '../../support/needs.js';
import { startProxy } from '../../support/proxy.js';
import { freePort, makeKey, type Sshd, type SshdOptions, startSshd } from '../../support/sshd.js';
import { failureOf } from '../contract.js';

let sshd: Sshd;
let dir: string;
let path: string | undefined;
let pools: Pool[];
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbs-openssh-'));
  path = process.env.PATH;
  pools = [];
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  process.env.PATH = path;
  rmSync(dir, { recursive: true });
});

const openTestPool = (options: PoolOptions = {}): Pool => {
  const pool = openPool({ agent: '', ...options });
  pools.push(pool);
  return pool;
};

const by = (to: Sshd, overrides: Partial<SshSettings> = {}): SshSettings =>
  to.settings({ transport: 'openssh', ...overrides });

const connect = (ssh: SshSettings, options: PoolOptions = {}) => openTestPool(options).connect({ name: 'node-1', ssh });

const ask = async (ssh: SshSettings, script = sh`echo in`, options: PoolOptions = {}): Promise<string> =>
  (await openTestPool(options).host({ name: 'node-1', ssh }).query(query(script))).stdout;

const withSshd = async (options: SshdOptions, use: (other: Sshd) => Promise<void>): Promise<void> => {
  const other = await startSshd(options);
  try {
    await use(other);
  } finally {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
    await other.stop();
  }
};

/** Has the ssh of this machine read a configuration of the test's own, as if it were ~/.ssh/config. */
const configured = (config: string): PoolOptions => {
  const file = join(dir, 'config');
  writeFileSync(file, config);
  writeFileSync(join(dir, 'ssh'), `#!/bin/sh\nPATH=${path} exec ssh -F ${file} "$@"\n`, { mode: 0o755 });
  process.env.PATH = `${dir}:${path}`;
  return { complete: sshCompletion(askSsh([file])) };
};

/** What the inventory leaves to that configuration: all but the address. */
const unsaid = (address: string): SshSettings => ({
  ...by(sshd, { address, port: 22, keys: [], knownHosts: '/nonexistent' }),
  open: ['user', 'port', 'key', 'knownHosts', 'jump', 'timeout'],
});

const loginTo = (to: Sshd, overrides: Partial<SshLogin> = {}): SshLogin => {
  const { address, port, user, keys, knownHosts } = to.settings(overrides);
  return { address, port, user, keys, knownHosts };
};

describe("ssh's own configuration", () => {
  const relay = () => {
    const file = join(dir, 'relay.cjs');
    const code = `const s = require('net').connect(+process.argv[2], '127.0.0.1'); process.stdin.pipe(s).pipe(process.stdout);`;
    writeFileSync(file, code);
    return `${process.execPath} ${file} ${sshd.port}`;
  };
  const rest = () => `  User ${sshd.user}
  IdentityFile ${sshd.key}
  UserKnownHostsFile ${sshd.knownHosts}
  HostKeyAlias [127.0.0.1]:${sshd.port}
`;

  test('may have a ProxyCommand', async () => {
    const options = configured(`Host 10.1.0.20\n  ProxyCommand ${relay()}\n${rest()}`);
    expect(await ask(unsaid('10.1.0.20'), sh`echo in`, options)).toBe('in\n');
  });

  test('is found under the name of the host, too', async () => {
    const options = configured(`Host node-1\n  HostName 10.1.0.20\n  ProxyCommand ${relay()}\n${rest()}`);
    expect(await ask(unsaid('10.1.0.20'), sh`echo in`, options)).toBe('in\n');
  });

  test('counts less than the inventory', async () => {
    const options = configured('Host *\n  ProxyCommand false\n  Port 1\n  User other\n  LocalForward 1 [::1]:1\n');
    expect(await ask({ ...by(sshd), open: ['timeout'] }, sh`echo in`, options)).toBe('in\n');
  });

  test('has jump hosts, which are reached as it says, once for all hosts behind them', async () => {
    const gate = await startProxy({ to: sshd.port });
    const known = join(dir, 'known_hosts');
    const [, type, key] = readFileSync(sshd.knownHosts, 'utf8').trim().split(' ');
    writeFileSync(known, `bastion,inner ${type} ${key}\n`);
    const options = configured(`Host bastion
  HostName 127.0.0.1
  Port ${gate.port}
  HostKeyAlias bastion
Host 127.0.0.*
  ProxyJump ${sshd.user}@bastion
  Port ${sshd.port}
  HostKeyAlias inner
Host *
  User ${sshd.user}
  IdentityFile ${sshd.key}
  UserKnownHostsFile ${known}
`);
    try {
      const pool = openTestPool(options);
      const targets = ['a', 'b', 'c'].map((name) => ({ name, ssh: unsaid('127.0.0.1') }));
      const answers = await Promise.all(targets.map((target) => pool.host(target).query(query(sh`echo in`))));
      expect(answers.map(({ stdout }) => stdout)).toEqual(['in\n', 'in\n', 'in\n']);
      expect(gate.connections()).toBe(1);
    } finally {
      await gate.stop();
    }
  });
});

describe('a login', () => {
  test('is made with the certificate beside the key', async () => {
    const ca = makeKey(join(dir, 'ca'));
    const key = makeKey(join(dir, 'certified'));
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'ops', '-n', sshd.user, '-V', '+1d', `${key}.pub`]);
    await withSshd({ config: [`TrustedUserCAKeys ${ca}.pub`] }, async (host) => {
      expect(await ask(by(host, { keys: [key] }))).toBe('in\n');
    });
  });

  test('is made where the host allows only what the SSH of kbs does not know', async () => {
    await withSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] }, async (host) => {
      expect(await ask(by(host))).toBe('in\n');
    });
  });

  test('that is refused is a failure in the words of ssh', async () => {
    const failure = await failureOf(connect(by(sshd, { keys: [makeKey(join(dir, 'stranger'))] })));
    expect(failure).toMatchObject({
      code: 'unreachable',
      message: `node-1 does not let ${sshd.user} in at 127.0.0.1:${sshd.port}`,
      where: { host: 'node-1' },
    });
    expect(failure.why.join('\n')).toMatch(/^ssh: .*Permission denied \(publickey/m);
  });

  test('that wants a second factor is told to be on a terminal, where there is none', async () => {
    const config = ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'];
    await withSshd({ config }, async (host) => {
      expect((await failureOf(connect(by(host)))).next).toMatch(/^run kbs on a terminal/);
    });
  });

  test.skipIf(lacks('root'))('that wants a second factor asks for it on a terminal, once', async () => {
    const config = ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'];
    await withSshd({ config, account: { name: 'ops', password: 'correct horse' } }, async (host) => {
      const shown = await typed(
        `import { openPool } from '${fileURLToPath(new URL('../../../src/hosts/pool.ts', import.meta.url))}';
        const pool = openPool({ agent: '' });
        const host = pool.host({ name: 'node-1', ssh: ${JSON.stringify(by(host))} });
        const script = 'id -un';
        const query = { effect: 'query', script };
        const answers = await Promise.all([host.query(query), host.query(query)]);
        console.log('answers', answers.map(({ stdout }) => stdout.trim()).join());
        await pool.close();`,
        /password:/,
        'correct horse\r',
      );
      expect(shown).toContain('answers ops,ops');
      expect(shown.match(/password:/g)).toHaveLength(1);
    });
  });

  test('to nothing names the place', async () => {
    const port = await freePort();
    const failure = await failureOf(connect(by(sshd, { port })));
    expect(failure.message).toBe(`cannot connect to node-1 at 127.0.0.1:${port}`);
    expect(failure.why.join()).toMatch(/Connection refused/);
  });

  test('that takes too long names its limit', async () => {
    const silent = await startProxy({});
    try {
      const failure = await failureOf(connect(by(sshd, { port: silent.port, timeout: 1 })));
      expect(failure.code).toBe('unreachable');
      expect(failure.message).toContain('node-1');
    } finally {
      await silent.stop();
    }
  });

  test('waits for a host that just starts', async () => {
    const slow = await startProxy({ to: sshd.port, hangUp: 1 });
    const [, type, key] = readFileSync(sshd.knownHosts, 'utf8').trim().split(' ');
    const knownHosts = join(dir, 'known_hosts');
    writeFileSync(knownHosts, `[127.0.0.1]:${slow.port} ${type} ${key}\n`);
    try {
      await connect(by(sshd, { port: slow.port, knownHosts }));
    } finally {
      await slow.stop();
    }
  });

  test('without an ssh on this machine says what to install', async () => {
    process.env.PATH = '/nowhere';
    expect(await failureOf(connect(by(sshd)))).toMatchObject({
      code: 'preflight',
      message: 'this machine could not start ssh',
      next: expect.stringContaining('openssh-client'),
    });
  });
});

describe('a host key', () => {
  const known = (line: string): string => {
    const file = join(dir, 'known_hosts');
    writeFileSync(file, line, { mode: 0o600 });
    return file;
  };
  const entry = (key = `${sshd.dir}/host_ed25519`) => {
    const [type, encoded] = readFileSync(`${key}.pub`, 'utf8').split(' ');
    return `[127.0.0.1]:${sshd.port} ${type} ${encoded}\n`;
  };

  test('that is not known is refused', async () => {
    const failure = await failureOf(connect(by(sshd, { knownHosts: known('') })));
    expect(failure.message).toBe(`node-1 at 127.0.0.1:${sshd.port} shows a host key that is not known`);
    expect(failure.next).toContain('--accept-new-host-keys');
  });

  test('that is not known is learned where that is wanted', async () => {
    const knownHosts = known('');
    await connect(by(sshd, { knownHosts }), { acceptNewHostKeys: true });
    expect(readFileSync(knownHosts, 'utf8')).toBe(entry());
  });

  test('that changed is refused, whatever is wanted, and the file with the old one is named', async () => {
    const knownHosts = known(entry(makeKey(join(dir, 'other'))));
    const failure = await failureOf(connect(by(sshd, { knownHosts }), { acceptNewHostKeys: true }));
    expect(failure.message).toBe(`HOST KEY CHANGED: node-1 at 127.0.0.1:${sshd.port} is not the machine that is known`);
    expect(failure.next).toContain(`ssh-keygen -f ${knownHosts} -R '[127.0.0.1]:${sshd.port}'`);
  });

  test('that is revoked is refused', async () => {
    const knownHosts = known(`@revoked ${entry()}`);
    const failure = await failureOf(connect(by(sshd, { knownHosts }), { acceptNewHostKeys: true }));
    expect(failure.message).toMatch(/^REVOKED HOST KEY: node-1 /);
  });
});

describe('behind a jump host', () => {
  test('a host is reached, and a lost jump host makes way for a new connection', async () => {
    const gate = await startSshd();
    try {
      const ssh = by(sshd, { jump: [loginTo(gate)] });
      const host = openTestPool().host({ name: 'node-1', ssh });
      const failure = await failureOf(host.query(query(sh`echo; sleep 300`), { onLine: () => gate.cut() }));
      expect(failure.code).toBe('unreachable');
      expect((await host.query(query(sh`echo back`))).stdout).toBe('back\n');
    } finally {
      await Promise.all(pools.splice(0).map((pool) => pool.close()));
      await gate.stop();
    }
  });

  test('a failure names both', async () => {
    const port = await freePort();
    const failure = await failureOf(connect(by(sshd, { jump: [loginTo(sshd, { port })] })));
    expect(failure.message).toBe(
      `cannot connect to node-1 at 127.0.0.1:${sshd.port} through the jump host ${sshd.user}@127.0.0.1:${port}`,
    );
    expect(failure.why[0]).toBe(`cannot connect to the jump host 127.0.0.1 at 127.0.0.1:${port}`);
  });
});

test.skipIf(lacks('root', 'sudo'))('sudo with a password runs scripts as root', async () => {
  const files = {
    sudoers: 'Defaults lecture=never\nops ALL=(ALL:ALL) ALL\n',
    'pam.d/sudo': 'auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n',
  };
  await withSshd({ account: { name: 'ops', password: 'correct horse' }, files }, async (host) => {
    const options = { ask: async () => new Secret('correct horse') };
    expect(await ask(by(host, { become: 'sudo' }), sh`id -un; cat`, options)).toBe('root\n');
  });
});

describe.skipIf(lacks('root', 'fish', 'tcsh'))('a login shell', () => {
  test.each(['/usr/bin/fish', '/usr/bin/tcsh', '/bin/bash'])('%s runs scripts as the others do', async (shell) => {
    await withSshd({ account: { name: 'ops', shell } }, async (host) => {
      expect(await ask(by(host), sh`printf '%s\\n' ${`it's "a" \\ $HOME !`}`)).toBe('it\'s "a" \\ $HOME !\n');
      expect(await ask(by(host), sh`echo end; exit 255`)).toBe('end\n');
    });
  });

  test('that runs nothing is a refusal with its words', async () => {
    await withSshd({ account: { name: 'ops', shell: '/usr/sbin/nologin' } }, async (host) => {
      const failure = await failureOf(ask(by(host)));
      expect(failure.message).toBe('node-1 did not run the script it was given');
      expect(failure.why.join()).toMatch(/not available/);
    });
  });
});

test('a host with one session at a time gets its commands one after the other', async () => {
  await withSshd({ config: ['MaxSessions 1'] }, async (host) => {
    const there = openTestPool().host({ name: 'node-1', ssh: by(host) });
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => there.query(query(sh`sleep 0.05; echo ${index}`))),
    );
    expect(answers.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 6 }, (_, index) => `${index}\n`));
  });
});

test('control sockets are in a folder of the operator alone, and leave nothing behind', async () => {
  const before = process.env.TMPDIR;
  mkdirSync(join(dir, 'tmp'));
  process.env.TMPDIR = join(dir, 'tmp');
  try {
    const pool = openTestPool();
    await pool.host({ name: 'node-1', ssh: by(sshd) }).query(query(sh`true`));
    const [folder = ''] = readdirSync(join(dir, 'tmp'));
    expect(statSync(join(dir, 'tmp', folder)).mode & 0o777).toBe(0o700);
    expect(masters()).toHaveLength(1);
    await pool.close();
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
    expect(masters()).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});

/** The processes that hold a control socket below the folder of the test. */
const masters = (): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    const file = `/proc/${pid}/cmdline`;
    return /^\d+$/.test(pid) && existsSync(file) && readFileSync(file, 'utf8').includes(join(dir, 'tmp'));
  });

/** Runs a program on a real terminal and types `keys` once it asks; gives all that the terminal showed. */
const typed = (code: string, question: RegExp, keys: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const file = join(dir, 'program.mts');
    writeFileSync(file, code);
    chmodSync(dir, 0o755);
    const program = `${process.execPath} --import tsx ${file}`;
    const child = spawn('script', ['-qec', program, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let shown = '';
    let isAnswered = false;
    child.stdout.on('data', (chunk) => {
      shown += String(chunk);
      if (!isAnswered && question.test(shown)) {
        isAnswered = true;
        child.stdin.write(keys);
      }
    });
    child.on('error', reject).on('close', () => resolve(shown));
  });
