import { defined } from '../defined.js';
import type { SshLogin, SshSettings } from './cluster.js';
import { partsOfJump } from './formats.js';
import type { InventorySsh } from './schema/schema.js';

/** What an inventory says of jump hosts: one, or several in their order. */
export type InventoryJump = NonNullable<InventorySsh['jump']>;

/** One jump host as the inventory has it. */
export interface Hop {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly key?: string | readonly string[];
}

/** The jump hosts of an inventory in one form; `none` is none at all. */
export const hopsOf = (jump: InventoryJump | undefined): readonly Hop[] =>
  jump === undefined || jump === 'none' ? [] : (Array.isArray(jump) ? jump : [jump]).map(hopOf);

const hopOf = (jump: Exclude<InventoryJump, readonly unknown[]>): Hop => {
  if (typeof jump !== 'string') return defined(jump);
  const { host, user, port } = partsOfJump(jump);
  return { host, ...defined({ user, port: port === undefined ? undefined : Number(port) }) };
};

/**
 * The way to a host: one login per jump host. `known` are the logins of the inventory's own hosts, by name. What a jump
 * host does not say, it has from its own entry in the inventory, else from the host behind it. A jump host is not on
 * the way to itself, nor is what comes after it.
 */
export const wayTo = (
  ssh: Omit<SshSettings, 'jump'>,
  hops: readonly Hop[],
  known: Readonly<Record<string, SshLogin>>,
  keysOf: (key: string | readonly string[]) => readonly string[],
): readonly SshLogin[] => {
  const way = hops.map(({ host, user, port, key }): SshLogin => {
    const own = known[host];
    return {
      address: own?.address ?? host,
      port: port ?? own?.port ?? 22,
      user: user ?? own?.user ?? ssh.user,
      keys: key === undefined ? (own?.keys ?? ssh.keys) : keysOf(key),
      knownHosts: own?.knownHosts ?? ssh.knownHosts,
      // A password, unlike a key, would be known there: it is given only to a jump host that is said to take one.
      ...defined({ password: own?.password, timeout: own?.timeout ?? ssh.timeout }),
    };
  });
  const itself = way.findIndex(({ address, port }) => address === ssh.address && port === ssh.port);
  return itself < 0 ? way : way.slice(0, itself);
};
