import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { quote } from '../shell.js';

/** How this machine's ssh is told to log in to a host. */
export interface LoginWords {
  /** What is to be done with a host key that is not known; one that changed is always refused. `yes` when absent. */
  readonly hostKeys?: 'yes' | 'accept-new';
  /** What leads to a host behind jump hosts: a command for a shell; one ssh per jump host when absent. */
  readonly proxy?: string;
}

/**
 * The options for a host, and its destination as the last word. No value of the inventory stands where ssh looks for
 * options. The transport `openssh` leaves to ssh's own configuration what the inventory does not say; any other names all.
 */
export const loginWords = (settings: SshSettings, { hostKeys = 'yes', proxy }: LoginWords = {}): readonly string[] => {
  const { transport, open, jump = [] } = settings;
  const left = transport === 'openssh' ? (open ?? []) : [];
  const file = transport === 'openssh' && open === undefined ? ['-F', 'none'] : [];
  return [
    ...file,
    ...loginOptions(settings, hostKeys, left),
    ...(jump.length > 0
      ? ['-o', `ProxyCommand=${proxy ?? proxyOf(jump, file)}`]
      : // So that no jump host of ssh's configuration counts where the inventory wants none.
        transport === 'openssh' && !left.includes('jump')
        ? ['-o', 'ProxyCommand=none']
        : []),
    '--',
    destinationOf(settings),
  ];
};

/** A command for a shell: what ssh is to reach a host with, given words of ssh that lead to its jump host. */
export const proxyCommand = (words: readonly string[], destination: string): string =>
  [...['ssh', ...words].map(proxyWord), '-W', "'[%h]:%p'", '--', proxyWord(destination)].join(' ');

const loginOptions = (
  login: SshLogin,
  hostKeys: 'yes' | 'accept-new',
  left: NonNullable<SshSettings['open']>,
): readonly string[] => [
  '-p',
  `${login.port}`,
  ...(left.includes('knownHosts')
    ? []
    : [
        '-o',
        `UserKnownHostsFile=${[login.knownHosts, ...(login.moreKnownHosts ?? [])].map(configWord).join(' ')}`,
        ...(login.hostKeyAlias === undefined ? [] : ['-o', `HostKeyAlias=${login.hostKeyAlias}`]),
      ]),
  '-o',
  `StrictHostKeyChecking=${hostKeys}`,
  '-o',
  // Where an address swallows packets, the system gives up after two minutes.
  `ConnectTimeout=${login.timeout ?? 10}`,
  // `-i` would look for the file under its name with tokens in it.
  ...(left.includes('key') ? [] : login.keys.flatMap((key) => ['-o', `IdentityFile=${configWord(key)}`])),
  '-l',
  login.user,
];

/** As `-J`, which hands on neither keys nor known hosts. */
const proxyOf = (jump: readonly SshLogin[], file: readonly string[]): string => {
  const last = jump.at(-1);
  if (last === undefined) return 'none';
  const before = jump.slice(0, -1);
  const way = before.length > 0 ? ['-o', `ProxyCommand=${proxyOf(before, file)}`] : [];
  return proxyCommand([...file, ...loginOptions(last, 'yes', []), ...way], destinationOf(last));
};

const destinationOf = ({ destination, address }: SshLogin): string => destination ?? address;

const proxyWord = (word: string): string => withoutTokens(quote(word));

/** One word of ssh_config(5): with a space in it, it would be two files. */
const configWord = (path: string): string => {
  const word = withoutTokens(path);
  return /[\s"'\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
};

/** See TOKENS in ssh_config(5). */
export const withoutTokens = (path: string): string => path.replaceAll('%', '%%');
