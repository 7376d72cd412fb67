import { Failure } from '../failure.js';
import { type Cluster, isNode, isWorker } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { addHost, type NewHost } from '../inventory/edit.js';
import { readInventory } from '../inventory/load.js';
import { loadCluster } from './load-cluster.js';

export interface JoinTargets {
  /** Names of the workers to join. */
  readonly joining: readonly string[];
  /** The text of the inventory with the new hosts; absent where it lists all of them already. */
  readonly text?: string;
}

/**
 * The workers to join: the named ones, or all workers of the inventory, where the plan then finds those that lack
 * something; and of these only what `limit` names. `name=user@address` adds a host to the inventory's text; the file is
 * not written here. Throws `usage` where a name is unknown or no worker is left.
 */
export const resolveJoinTargets = async (
  file: string,
  words: readonly string[],
  limit: readonly string[] | undefined,
): Promise<JoinTargets> => {
  const before = await readInventory(file);
  const { cluster: known } = await loadCluster(file);
  const added = words.map(newHost).filter((host) => host !== undefined && !isListed(known, host));
  const text = added.reduce((edited, host) => (host ? addHost(edited, host) : edited), before);
  const { cluster } = text === before ? { cluster: known } : await loadCluster(file, text);
  const names = words.map((word) => word.split('=')[0] ?? '');
  refuseUnknown(cluster, [...names, ...(limit ?? [])]);
  const wanted = names.length > 0 ? names : cluster.hosts.filter(isWorker).map(({ name }) => name);
  const joining = wanted.filter((name) => limit === undefined || limit.includes(name));
  if (limit !== undefined && joining.length === 0) {
    throw new Failure('usage', `no worker is left to join: --limit ${limit.join(',')} names none of them`, {
      next: `without it these would join: ${wanted.join(', ')}`,
    });
  }
  return text === before ? { joining } : { joining, text };
};

/** `name=user@address`; undefined for a plain name. */
const newHost = (word: string): NewHost | undefined => {
  if (!word.includes('=')) return undefined;
  const [, name, user, address] = /^([^=]+)=(?:([^@]+)@)?([^@]+)$/.exec(word) ?? [];
  if (!name || !address) {
    throw new Failure('usage', `${word} does not say which host`, { next: 'write it as name=user@address' });
  }
  return { name, address, roles: ['worker'], ...(user ? { user } : {}) };
};

/** A join that failed after it wrote the inventory is repeated with the same words. */
const isListed = (cluster: Cluster, { name, address }: NewHost): boolean =>
  cluster.hosts.some((host) => host.name === name && host.address === address);

const refuseUnknown = (cluster: Cluster, names: readonly string[]): void => {
  const known = cluster.hosts.filter((host) => isNode(host)).map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw unknownName('the inventory has no worker', unknown, known, 'a new one: kbs join name=user@address');
};
