import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { Failure } from '../../src/failure.js';
import { query } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';
import { sh } from '../../src/hosts/shell.js';
import { askSsh, sshCompletion } from '../../src/hosts/ssh/ssh-config.js';
import type { SshSettings } from '../../src/inventory/cluster.js';
import { type Sshd, startSshd } from '../support/sshd.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-ssh-config-'));
  writeFileSync(join(folder, 'id'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the inventory alone says. */
const written: SshSettings = {
  transport: 'ssh',
  address: '10.1.0.20',
  port: 22,
  user: 'root',
  become: 'sudo',
  keys: ['/home/ops/.ssh/id_rsa'],
  knownHosts: '/home/ops/.ssh/known_hosts',
  open: ['user', 'port', 'key', 'knownHosts', 'jump', 'timeout'],
};

const complete = (config: string, ssh: SshSettings = written, host = 'worker-00') => {
  writeFileSync(join(folder, 'config'), config.replaceAll('FOLDER', folder));
  return sshCompletion(askSsh([join(folder, 'config')]))(host, ssh);
};

/** What the configuration changes, without the files of the whole machine. */
const changes = async (config: string, ssh: SshSettings = written) => {
  const done = await complete(config, ssh);
  const more = done.moreKnownHosts?.filter((path) => !path.startsWith('/etc/ssh/')) ?? [];
  return Object.fromEntries(
    Object.entries({ ...done, moreKnownHosts: more.length > 0 ? more : undefined }).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(ssh[key as keyof SshSettings]),
    ),
  );
};

describe("ssh's own configuration", () => {
  test.each<[string, string, object]>([
    ['says nothing', '', {}],
    ['is of other hosts', 'Host other\n  User ops\n', {}],
    ['names a user', 'Host 10.1.*\n  User ops\n', { user: 'ops' }],
    ['names root', 'User root\n', {}],
    [
      'names a host by its address',
      'Host 10.1.0.20\n  HostName 10.9.0.1\n  Port 2222\n',
      { address: '10.9.0.1', port: 2222 },
    ],
    ['names a host by its name', 'Host worker-00\n  HostName 10.1.0.20\n  User ops\n', { user: 'ops' }],
    ['gives that name another address', 'Host worker-00\n  HostName 10.7.7.7\n  User ops\n', {}],
    [
      'names keys, and no other of the agent is to be tried',
      'IdentityFile FOLDER/id\nIdentityFile ~/not-there\nIdentitiesOnly yes\nIdentityAgent ~/agent\n',
      { keys: ['FOLDER/id'], onlyKeys: true, agent: join(homedir(), 'agent') },
    ],
    [
      'names known hosts and an alias',
      'UserKnownHostsFile FOLDER/known-%r FOLDER/more\nHostKeyAlias rack\nConnectTimeout 30\n',
      { knownHosts: 'FOLDER/known-root', moreKnownHosts: ['FOLDER/more'], hostKeyAlias: 'rack', timeout: 30 },
    ],
    [
      'names jump hosts, whose own settings count for them',
      'Host bastion\n  HostName 192.0.2.1\n  User hop\n  Port 2200\nHost 10.*\n  ProxyJump bastion,me@[2001:db8::1]:2222\n',
      {
        jump: [
          expect.objectContaining({ address: '192.0.2.1', user: 'hop', port: 2200 }),
          expect.objectContaining({ address: '2001:db8::1', user: 'me', port: 2222 }),
        ],
      },
    ],
    [
      'names a jump host and not its user, who is the operator, as with ssh',
      'Host 10.*\n  ProxyJump bastion\n',
      { jump: [expect.objectContaining({ address: 'bastion', user: userInfo().username, port: 22 })] },
    ],
  ])('%s', async (_, config, expected) => {
    const told = JSON.parse(JSON.stringify(await changes(config)).replaceAll(folder, 'FOLDER'));
    expect(told).toEqual(expected);
  });

  it('counts less than the inventory', async () => {
    const said: SshSettings = { ...written, user: 'ops', become: 'doas', port: 2022, open: ['key'] };
    expect(
      await changes('User other\nPort 1\nProxyJump bastion\nUserKnownHostsFile /x\nConnectTimeout 3\n', said),
    ).toEqual({});
  });

  it('is not asked where the inventory does not want that', async () => {
    const { open: _, ...ignoring } = written;
    expect(await complete('User ops\n', ignoring)).toEqual(ignoring);
  });

  test.each([
    ['ProxyCommand nc %h %p\n', 'it sets ProxyCommand, which kbs does not support'],
    ['RevokedHostKeys /etc/ssh/revoked\n', 'it sets RevokedHostKeys, which kbs does not support'],
  ])('is refused by name where kbs cannot do as it says: %s', async (config, why) => {
    const error = await complete(config).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unreachable', where: { host: 'worker-00' }, why: [why] });
    expect((error as Failure).next).toMatch(/^have it reached by your own ssh: ssh: \{ transport: openssh \};/);
    expect((error as Failure).next).toContain('ssh: { config: none }');
  });

  it('may have a ProxyCommand where the inventory names the way', async () => {
    const jump = [{ ...written, address: '192.0.2.1' }];
    expect(await changes('ProxyCommand nc %h %p\n', { ...written, jump, open: ['user'] })).toEqual({});
  });

  it('is left to ssh itself where that makes the connection, under the name that it knows', async () => {
    const config = 'Host worker-00\n  HostName 10.1.0.20\n  ProxyCommand nc %h %p\n';
    expect(await changes(config, { ...written, transport: 'openssh' })).toEqual({ destination: 'worker-00' });
  });

  it('that cannot be read is a failure with the words of ssh', async () => {
    const error = await complete('NoSuchSetting yes\n').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).why.join()).toMatch(/NoSuchSetting/i);
  });
});

describe('a host that only the configuration knows how to reach', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  it('is reached', async () => {
    const { address, port, user, keys, knownHosts } = sshd.settings();
    const config = `Host 10.1.0.20
  HostName ${address}
  Port ${port}
  User ${user}
  IdentityFile ${keys[0]}
  UserKnownHostsFile ${knownHosts}
`;
    writeFileSync(join(folder, 'config'), config);
    const pool = openPool({ agent: '', complete: sshCompletion(askSsh([join(folder, 'config')])) });
    try {
      const host = pool.host({ name: 'worker-00', ssh: { ...written, become: 'none' } });
      expect((await host.query(query(sh`echo reached`))).stdout).toBe('reached\n');
    } finally {
      await pool.close();
    }
  });
});
