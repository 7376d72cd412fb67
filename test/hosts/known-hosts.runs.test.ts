import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entriesFor, fingerprint, judge, knownLine, parseKnownHosts } from '../../src/hosts/ssh/known-hosts.js';
import { appendKnownHost, readKnownHosts } from '../../src/hosts/ssh/known-hosts-file.js';
import { makeKey } from '../support/sshd.js';
import { failureOf } from './contract.js';

let dir: string;
let ours: string;
let other: string;
let rsa: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbs-known-'));
  const publicKey = (name: string, type?: string) =>
    readFileSync(`${makeKey(join(dir, name), type)}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  ours = publicKey('ours');
  other = publicKey('other');
  rsa = publicKey('rsa', 'rsa');
});
afterAll(() => rmSync(dir, { recursive: true }));

const bytes = (key: string): Buffer => Buffer.from(key.split(' ')[1] ?? '', 'base64');

describe('a key that a host shows is', () => {
  // OURS is the shown key, OTHER another of its type, RSA one of another type.
  test.each([
    ['unknown', '', 'node-1', 22],
    ['known', 'node-1 OURS', 'node-1', 22],
    ['known', 'node-1 OURS a comment of several words', 'node-1', 22],
    ['known', '  node-1   OURS', 'node-1', 22],
    ['known', 'node-1\tOURS', 'node-1', 22],
    ['known', 'Node-1 OURS', 'nODE-1', 22],
    ['unknown', 'node-10 OURS', 'node-1', 22],
    ['unknown', 'node-1 OURS', 'node-10', 22],
    ['changed', 'node-1 OTHER', 'node-1', 22],
    ['changed', 'node-1 RSA', 'node-1', 22],
    ['known', 'node-1 OTHER\nnode-1 OURS', 'node-1', 22],
    ['known', 'node-1 RSA\nnode-1 OURS', 'node-1', 22],
    // comma lists
    ['known', 'node-0,node-1,10.0.0.1 OURS', 'node-1', 22],
    ['known', 'node-0,node-1,10.0.0.1 OURS', '10.0.0.1', 22],
    ['unknown', 'node-0,node-1,10.0.0.1 OURS', '10.0.0.10', 22],
    // ports
    ['known', '[node-1]:2222 OURS', 'node-1', 2222],
    ['unknown', '[node-1]:2222 OURS', 'node-1', 22],
    ['unknown', '[node-1]:2222 OURS', 'node-1', 2223],
    ['unknown', 'node-1 OURS', 'node-1', 2222],
    ['changed', '[node-1]:2222 OTHER', 'node-1', 2222],
    // IPv6
    ['known', 'fd00::1 OURS', 'fd00::1', 22],
    ['known', '[fd00::1]:2222 OURS', 'FD00::1', 2222],
    // wildcards
    ['known', '*.lan OURS', 'node-1.lan', 22],
    ['known', '*.lan OURS', 'a.b.lan', 22],
    ['unknown', '*.lan OURS', 'lan', 22],
    ['unknown', '*.lan OURS', 'nodexlan', 22],
    ['known', 'node-? OURS', 'node-1', 22],
    ['unknown', 'node-? OURS', 'node-12', 22],
    ['known', '* OURS', 'anything', 2222],
    ['known', '[node-*]:2222 OURS', 'node-1', 2222],
    ['known', '192.168.*.1 OURS', '192.168.10.1', 22],
    ['unknown', '192.168.0.1 OURS', '192a168b0c1', 22],
    // negation
    ['unknown', '*.lan,!node-1.lan OURS', 'node-1.lan', 22],
    ['known', '*.lan,!node-1.lan OURS', 'node-2.lan', 22],
    ['unknown', '!node-1.lan,*.lan OURS', 'node-1.lan', 22],
    ['unknown', '!node-1 OURS', 'node-2', 22],
    ['unknown', '*,!*.lan OURS', 'node-1.lan', 22],
    // markers
    ['revoked', '@revoked node-1 OURS', 'node-1', 22],
    ['revoked', '@revoked * OURS\nnode-1 OURS', 'node-1', 22],
    ['revoked', 'node-1 OURS\n@revoked * OURS', 'node-1', 22],
    ['unknown', '@revoked node-1 OTHER', 'node-1', 22],
    ['unknown', '@cert-authority * OURS', 'node-1', 22],
    ['known', '@cert-authority * OTHER\nnode-1 OURS', 'node-1', 22],
    ['unknown', '@anything-else node-1 OURS', 'node-1', 22],
    // lines that make no sense
    ['unknown', '# node-1 OURS', 'node-1', 22],
    ['unknown', '#node-1 OURS', 'node-1', 22],
    ['unknown', 'node-1', 'node-1', 22],
    ['unknown', 'node-1 ssh-ed25519', 'node-1', 22],
    ['unknown', 'node-1 ssh-ed25519 AAAA', 'node-1', 22],
    ['unknown', 'node-1 ssh-rsa KEY_OF_ANOTHER_TYPE', 'node-1', 22],
    ['unknown', 'node-1 1024 35 1234567890', 'node-1', 22],
    ['unknown', '|1|nonsense OURS', 'node-1', 22],
    ['unknown', '|2|AAAA|AAAA OURS', 'node-1', 22],
    ['known', 'nonsense\n\n\r\nnode-1 OURS\r', 'node-1', 22],
  ])('%s by %j for %s at port %i', (kind, text, address, port) => {
    const file = text
      .replaceAll('OURS', ours)
      .replaceAll('OTHER', other)
      .replaceAll(' RSA', ` ${rsa}`)
      .replaceAll('KEY_OF_ANOTHER_TYPE', ours.split(' ')[1] ?? '');
    expect(judge(entriesFor(parseKnownHosts(file), address, port), bytes(ours)).kind).toBe(kind);
  });

  test('changed, with the line that says otherwise, of the same type where there is one', () => {
    const known = parseKnownHosts(`# first\nnode-1 ${rsa}\nnode-1 ${other}\n`);
    const verdict = judge(entriesFor(known, 'node-1', 22), bytes(ours));
    expect(verdict).toMatchObject({ kind: 'changed', entry: { line: 3, type: 'ssh-ed25519' } });
  });
});

describe('as OpenSSH sees it', () => {
  const names = [
    'node-1',
    'node-10',
    'node-2.lan',
    '10.0.0.1',
    'fd00::1',
    '[node-1]:2222',
    '[10.0.0.1]:22022',
    'other',
  ];
  const patterns = [
    'node-1',
    '*.lan',
    'node-1?',
    '10.0.0.1,node-2.lan',
    '[node-1]:2222',
    '*,!node-*',
    '[10.0.0.?]:22022',
  ];

  test.each([
    ['plain and with wildcards', patterns, false],
    ['hashed', names.slice(0, 7), true],
  ])('the same lines speak of the same hosts, %s', (_, hosts, hashed) => {
    const file = join(dir, `as-openssh-${hashed}`);
    writeFileSync(file, hosts.map((host, index) => `${host} ${index % 2 ? ours : other}\n`).join(''));
    if (hashed) execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const known = parseKnownHosts(readFileSync(file, 'utf8'));
    expect(known.length).toBe(hosts.length);
    if (hashed) expect(known.every((entry) => entry.hosts.startsWith('|1|'))).toBe(true);
    for (const name of names) {
      const [, address = name, port = '22'] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
      expect([name, entriesFor(known, address, Number(port)).map((entry) => entry.line)]).toEqual([
        name,
        linesOf(file, name),
      ]);
    }
  });

  /** `ssh-keygen -F` prints `# Host NAME found: line N` for each. */
  const linesOf = (file: string, name: string): readonly number[] => {
    const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
    return [...stdout.matchAll(/found: line (\d+)/g)].map(([, line]) => Number(line));
  };

  test.each([['ours'], ['rsa']])('the fingerprint of a key is the same (%s)', (name) => {
    const line = execFileSync('ssh-keygen', ['-lf', join(dir, `${name}.pub`)], { encoding: 'utf8' });
    expect(fingerprint(bytes(name === 'rsa' ? rsa : ours))).toBe(line.split(' ')[1]);
  });

  test.each([
    ['node-1', 22],
    ['node-1', 2222],
    ['fd00::1', 22],
  ])('a learned line is found again, for %s at port %i', async (address, port) => {
    const file = join(dir, `learned-${address}-${port}`);
    await appendKnownHost(file, knownLine(address, port, bytes(ours)));
    expect(linesOf(file, port === 22 ? address : `[${address}]:${port}`)).toEqual([1]);
  });
});

describe('the file of known hosts', () => {
  test('that is missing knows nothing', async () => {
    expect(await readKnownHosts(join(dir, 'missing', 'known_hosts'))).toEqual([]);
  });

  test('that cannot be read is a failure, and never an empty one', async () => {
    expect(await failureOf(readKnownHosts(dir))).toMatchObject({
      code: 'unreachable',
      message: `cannot read the known host keys in ${dir}`,
    });
  });

  test('is made for its owner alone, with its folder', async () => {
    const file = join(dir, 'new', 'known_hosts');
    await appendKnownHost(file, knownLine('node-1', 22, bytes(ours)));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'new')).mode & 0o777).toBe(0o700);
  });

  test('keeps what it had, and a last line without its newline', async () => {
    const file = join(dir, 'unfinished');
    writeFileSync(file, `# mine\nnode-0 ${other}`);
    await appendKnownHost(file, knownLine('node-1', 22, bytes(ours)));
    expect(readFileSync(file, 'utf8')).toBe(`# mine\nnode-0 ${other}\nnode-1 ${ours}\n`);
  });

  test('takes many lines at the same time, every one of them whole', async () => {
    const file = join(dir, 'many');
    const addresses = Array.from({ length: 100 }, (_, index) => `node-${index}`);
    await Promise.all(addresses.map((address) => appendKnownHost(file, knownLine(address, 22, bytes(ours)))));
    const known = await readKnownHosts(file);
    expect(known.map((entry) => entry.hosts).sort()).toEqual(addresses.sort());
  });

  test('that cannot be written is a failure', async () => {
    expect((await failureOf(appendKnownHost(join(dir, 'ours', 'known_hosts'), 'x'))).code).toBe('unreachable');
  });
});
