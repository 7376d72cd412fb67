import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { defined } from '../../defined.js';
import { Failure } from '../../failure.js';
import type { SshLogin, SshSettings } from '../../inventory/cluster.js';

/** Completes the settings of a host by what ssh itself is configured to; throws a Failure for what kbs cannot do. */
export type CompleteSsh = (host: string, ssh: SshSettings) => Promise<SshSettings>;

/** What `ssh -G` prints: by setting, in small letters, the values of all its lines. */
export type SshConfig = ReadonlyMap<string, readonly string[]>;

/** Gives what ssh would do for a destination; undefined where this machine has no ssh. */
export type AskSsh = (destination: string) => Promise<SshConfig | undefined>;

/**
 * ssh is asked once per destination. A host counts under its address, as in `ssh ADDRESS`; where the configuration gives
 * the host's name that address (`Host worker-00`, `HostName 192.168.20.20`), under its name.
 */
export const sshCompletion = (ask: AskSsh = askSsh()): CompleteSsh => {
  const asked = new Map<string, Promise<SshConfig | undefined>>();
  const about = (destination: string): Promise<SshConfig | undefined> => {
    const known = asked.get(destination) ?? ask(destination);
    asked.set(destination, known);
    return known;
  };
  return async (host, ssh) => {
    if (ssh.transport === 'local' || ssh.open === undefined) return ssh;
    const [byName, byAddress] = await Promise.all([about(host), about(ssh.address)]);
    const isNamed = byName?.get('hostname')?.[0] === ssh.address;
    const config = isNamed ? byName : byAddress;
    if (config === undefined) return ssh;
    const hops = ssh.open.includes('jump') ? hopsIn(config) : [];
    const jump = await Promise.all(hops.map(async (hop) => hopLogin(hop, ssh, await about(hop.host))));
    return {
      ...completed(host, ssh, config),
      ...(ssh.transport === 'openssh' ? { destination: isNamed ? host : ssh.address } : {}),
      ...(jump.length > 0 ? { jump } : {}),
    };
  };
};

/** Settings that stand after everything else, so that they count only where the operator has set none. */
const unset = 'kbs-unset';

/** Asks the ssh of this machine. `files`: the configuration that it reads, those first that count first. */
export const askSsh =
  (files: readonly string[] = ['~/.ssh/config', '/etc/ssh/ssh_config']): AskSsh =>
  async (destination) => {
    const folder = await mkdtemp(join(tmpdir(), 'kbs-ssh-'));
    try {
      const config = join(folder, 'config');
      await writeFile(config, configWith(files));
      const asked = await execa('ssh', ['-F', config, '-G', '--', destination], { stdin: 'ignore', reject: false });
      if (asked.code === 'ENOENT') return undefined;
      if (asked.exitCode !== 0) throw unreadable(destination, asked.stderr);
      return parseSshConfig(asked.stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  };

const configWith = (files: readonly string[]): string =>
  [
    ...files.map((file) => `Include ${file}`),
    'Host *',
    ...['User', 'IdentityFile', 'UserKnownHostsFile'].map((setting) => `${setting} ${unset}`),
    '',
  ].join('\n');

const unreadable = (destination: string, stderr: string): Failure =>
  new Failure('unreachable', 'the configuration of ssh on this machine cannot be read', {
    where: { command: `ssh -G ${destination}` },
    why: stderr.trim().split('\n').slice(-3),
    next: 'correct ~/.ssh/config, or have kbs ignore it: ssh: { config: none }',
  });

/** Reads what `ssh -G` prints. */
export const parseSshConfig = (printed: string): SshConfig => {
  const settings = new Map<string, string[]>();
  for (const line of printed.split('\n')) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line.trimEnd()) ?? [];
    if (key !== undefined && value !== undefined) settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
};

const completed = (host: string, ssh: SshSettings, config: SshConfig): SshSettings => {
  const { open = [] } = ssh;
  const refusals = refusedIn(config).filter(({ instead }) => instead === undefined || open.includes(instead));
  if (refusals.length > 0 && ssh.transport === 'ssh') throw refused(host, ssh, refusals);
  const user = set(config, 'user');
  const login = loginFrom(config, ssh, open);
  return {
    ...ssh,
    ...login,
    ...(open.includes('user') && user !== undefined ? { user } : {}),
  };
};

type Open = NonNullable<SshSettings['open']>;

const loginFrom = (config: SshConfig, ssh: SshLogin, open: Open): SshLogin => {
  const port = Number(set(config, 'port'));
  const seconds = Number(set(config, 'connecttimeout'));
  const own = pathsOf(config, 'userknownhostsfile', ssh);
  const keys = (config.get('identityfile') ?? [])
    .filter((path) => path !== unset && path !== 'none')
    .map((path) => expanded(path, ssh));
  const agent = set(config, 'identityagent');
  const [first, ...others] = own;
  return {
    ...ssh,
    address: set(config, 'hostname') ?? ssh.address,
    ...(open.includes('port') && port > 0 ? { port } : {}),
    ...(open.includes('timeout') && seconds > 0 ? { timeout: seconds } : {}),
    // As ssh does, which takes those that are there.
    ...(open.includes('key') && keys.length > 0 ? { keys: keys.filter((path) => existsSync(path)) } : {}),
    ...(open.includes('key') && set(config, 'identitiesonly') === 'yes' ? { onlyKeys: true as const } : {}),
    ...(open.includes('knownHosts') && first !== undefined ? { knownHosts: first } : {}),
    moreKnownHosts: [...(open.includes('knownHosts') ? others : []), ...pathsOf(config, 'globalknownhostsfile', ssh)],
    ...defined({ hostKeyAlias: set(config, 'hostkeyalias') }),
    ...(agent === undefined || agent === 'SSH_AUTH_SOCK' ? {} : { agent: expanded(agent, ssh) }),
  };
};

/** One word of ProxyJump. */
interface Hop {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

const hopsIn = (config: SshConfig): readonly Hop[] =>
  (set(config, 'proxyjump') ?? '').split(',').flatMap((word): readonly Hop[] => {
    const [, user, host, port] = /^(?:ssh:\/\/)?(?:([^@]+)@)?\[?([^\]]+?)\]?(?::(\d+))?$/.exec(word) ?? [];
    return host === undefined ? [] : [{ host, ...defined({ user, port: port ? Number(port) : undefined }) }];
  });

/** A jump host is what ssh's configuration says of it; its user is the operator's, as with ssh. */
const hopLogin = (hop: Hop, ssh: SshSettings, config: SshConfig = new Map()): SshLogin => {
  const base: SshLogin = {
    address: hop.host,
    port: 22,
    user: hop.user ?? set(config, 'user') ?? userInfo().username,
    keys: ssh.keys,
    knownHosts: ssh.knownHosts,
    ...defined({ timeout: ssh.timeout }),
  };
  const login = loginFrom(config, base, ['port', 'key', 'knownHosts', 'timeout']);
  return { ...login, destination: hop.host, port: hop.port ?? login.port };
};

interface Refusal {
  readonly setting: string;
  /** The setting of the inventory that makes it needless. */
  readonly instead?: Open[number];
}

const refusedIn = (config: SshConfig): readonly Refusal[] => [
  ...(isSet(config, 'proxycommand') ? [{ setting: 'ProxyCommand', instead: 'jump' } as const] : []),
  ...(isSet(config, 'revokedhostkeys') ? [{ setting: 'RevokedHostKeys' }] : []),
];

const refused = (host: string, ssh: SshSettings, refusals: readonly Refusal[]): Failure =>
  new Failure('unreachable', `cannot reach ${host} as ~/.ssh/config says`, {
    where: { host, address: ssh.address },
    why: refusals.map(({ setting }) => `it sets ${setting}, which kbs does not support`),
    next: `have it reached by your own ssh: ssh: { transport: openssh }; or ${
      refusals.some(({ instead }) => instead === 'jump')
        ? 'name a jump host in the inventory: ssh: { jump: USER@HOST }'
        : 'write revoked keys as `@revoked` lines into known_hosts'
    }, and have kbs ignore that file: ssh: { config: none }`,
  });

const set = (config: SshConfig, key: string): string | undefined => {
  const [value] = config.get(key) ?? [];
  return value === undefined || value === unset || value === 'none' ? undefined : value;
};

const isSet = (config: SshConfig, key: string): boolean => set(config, key) !== undefined;

/** Of a line with several paths; a path with a space in it cannot be told from two. */
const pathsOf = (config: SshConfig, key: string, ssh: SshLogin): readonly string[] =>
  (set(config, key) ?? '')
    .split(' ')
    .filter((path) => path !== '' && path !== 'none')
    .map((path) => expanded(path, ssh));

/** See TOKENS in ssh_config(5): those that a file name has in practice. */
const expanded = (path: string, { address, port, user }: SshLogin): string => {
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: homedir(),
    h: address,
    p: `${port}`,
    r: user,
    u: userInfo().username,
  };
  const named = path.replace(/^~(?=\/|$)/, homedir()).replaceAll(unset, user);
  return named.replaceAll(/%([%dhpru])/g, (all, token: string) => tokens[token] ?? all);
};
