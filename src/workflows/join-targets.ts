import { Failure } from '../failure.js';
import { type Cluster, isNode, isWorker } from '../inventory/cluster.js';
import { addHost } from '../inventory/edit.js';
import { type LoadedCluster, loadCluster } from './load-cluster.js';

/** What a join is about. */
export interface JoinTargets {
  readonly joining: readonly string[];
  /** The inventory, with the hosts that are new to it. */
  readonly loaded: LoadedCluster;
}

/**
 * The workers that a join is about: those named, or all of the inventory, of which comparing finds those that lack
 * something; of these only what `limit` names. `name=user@address` puts a host into the inventory's text, which nobody has written yet.
 */
export const resolveJoinTargets = async (
  file: string,
  words: readonly string[],
  limit: readonly string[] | undefined,
): Promise<JoinTargets> => {
  const known = await loadCluster(file);
  const fresh = words.map(newHost).filter((host) => host !== undefined && !isThere(known.cluster, host));
  const text = fresh.reduce((now, host) => (host ? addHost(now, host) : now), known.text);
  const loaded = text === known.text ? known : await loadCluster(file, text);
  const { cluster } = loaded;
  const names = words.map((word) => word.split('=')[0] ?? '');
  refuseUnknown(cluster, [...names, ...(limit ?? [])]);
  const wanted = names.length > 0 ? names : cluster.hosts.filter(isWorker).map(({ name }) => name);
  const joining = wanted.filter((name) => limit === undefined || limit.includes(name));
  if (limit !== undefined && joining.length === 0) {
    throw new Failure('usage', `nobody is left to join: --limit ${limit.join(',')} names none of them`, {
      next: `without it these would join: ${wanted.join(', ')}`,
    });
  }
  return { joining, loaded };
};

interface NewHost {
  readonly name: string;
  readonly address: string;
  readonly user?: string;
  readonly roles: readonly string[];
}

/** `name=user@address`; undefined for a plain name. */
const newHost = (word: string): NewHost | undefined => {
  if (!word.includes('=')) return undefined;
  const [, name, user, address] = /^([^=]+)=(?:([^@]+)@)?([^@]+)$/.exec(word) ?? [];
  if (!name || !address) {
    throw new Failure('usage', `${word} does not say which host`, { next: 'write it as name=user@address' });
  }
  return { name, address, roles: ['worker'], ...(user ? { user } : {}) };
};

/** The same words again, after a join that came no further than the inventory, are no mistake. */
const isThere = (cluster: Cluster, { name, address }: NewHost): boolean =>
  cluster.hosts.some((host) => host.name === name && host.address === address);

const refuseUnknown = (cluster: Cluster, names: readonly string[]): void => {
  const known = cluster.hosts.filter((host) => isNode(host)).map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new Failure('usage', `the inventory has no worker ${unknown.join(', ')}`, {
    next: `it has ${known.join(', ')}; a new one is added by: kbs join name=user@address`,
  });
};
