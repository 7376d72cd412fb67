import { Failure } from '../failure.js';
import { type Cluster, type ClusterHost, isNode, isWorker } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { addHost, type NewHost } from '../inventory/edit.js';
import { type LoadedCluster, loadCluster } from './load-cluster.js';

export interface JoinTargets {
  /** Names of the workers to join. */
  readonly joining: readonly string[];
  /** The inventory, with the hosts that are new to it. */
  readonly loaded: LoadedCluster;
}

/**
 * The workers to join: the named ones, or all workers of the inventory, where the plan then finds those that lack
 * something; and of these only what `limit` names. `name=user@address` adds a host to the inventory's text; the file is
 * not written here. Throws `usage` where a name is unknown, or where `limit` leaves no worker.
 */
export const resolveJoinTargets = async (
  file: string,
  words: readonly string[],
  limit: readonly string[] | undefined,
): Promise<JoinTargets> => {
  const known = await loadCluster(file);
  const added = words.map(newHost).filter((host) => host !== undefined && !isListed(known.cluster, host));
  const text = added.reduce((edited, host) => (host ? addHost(edited, host) : edited), known.text);
  const loaded = text === known.text ? known : await loadCluster(file, text, known.text);
  const { cluster } = loaded;
  const names = [...new Set(words.map((word) => word.split('=')[0] ?? ''))];
  const workers = cluster.hosts.filter(isWorker);
  requireKnown(workers, names, 'a new one: kbs join name=user@address; control planes join by: kbs init');
  requireKnown(cluster.hosts.filter(isNode), limit ?? [], 'a new one: kbs join name=user@address');
  const wanted = names.length > 0 ? names : workers.map(({ name }) => name);
  const joining = wanted.filter((name) => limit === undefined || limit.includes(name));
  if (limit !== undefined && joining.length === 0) {
    throw new Failure('usage', `no worker is left to join: --limit ${limit.join(',')} names none of them`, {
      next: `without it these would join: ${wanted.join(', ')}`,
    });
  }
  return { joining, loaded };
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

const requireKnown = (hosts: readonly ClusterHost[], names: readonly string[], advice: string): void => {
  const known = hosts.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName('the inventory has no worker', unknown, known, advice);
};
