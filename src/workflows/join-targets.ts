import { Failure, Failures } from '../failure.js';
import { type Cluster, type ClusterHost, isNode, isWorker } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { addHost, labelAndTaintHost, type NewHost, type NodeLabelsAndTaints } from '../inventory/edit.js';
import { formatProblem, labelKey, labelValue, taint } from '../inventory/formats.js';
import { type LoadedCluster, loadCluster } from './load-cluster.js';

export interface JoinTargets {
  /** Names of the workers to join. */
  readonly joining: readonly string[];
  /** The inventory, with the hosts that are new to it. */
  readonly loaded: LoadedCluster;
}

/** Labels as `key=value` and taints as `key=value:Effect` for every host that is named. */
export interface LabelsAndTaints {
  readonly labels: readonly string[];
  readonly taints: readonly string[];
}

/**
 * The workers to join: the named ones, or all workers of the inventory, where the plan then finds those that lack
 * something; and of these only what `limit` names. `name=user@address` adds a host to the inventory's text, and `labelsAndTaints`
 * change the entries of the named hosts; the file is not written here. Throws `usage` where a name is unknown, where
 * `limit` leaves no worker, or where a label or taint is malformed or has no host.
 */
export const resolveJoinTargets = async (
  file: string,
  words: readonly string[],
  limit: readonly string[] | undefined,
  labelsAndTaints: LabelsAndTaints = { labels: [], taints: [] },
): Promise<JoinTargets> => {
  const parsed = parseLabelsAndTaints(labelsAndTaints, words);
  const known = await loadCluster(file);
  const added = words.flatMap((word) => newHost(word) ?? []).filter((host) => !isListed(known.cluster, host));
  const names = [...new Set(words.map((word) => word.split('=')[0] ?? ''))];
  const workers = [...known.cluster.hosts.filter(isWorker), ...added];
  requireKnown(workers, names, 'a new one: kbs join name=user@address; control planes join by: kbs init');
  const text = names.reduce(
    (edited, name) => labelAndTaintHost(edited, name, parsed),
    added.reduce(addHost, known.text),
  );
  const loaded = text === known.text ? known : await loadCluster(file, text, known.text);
  const { cluster } = loaded;
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

const parseLabelsAndTaints = ({ labels, taints }: LabelsAndTaints, words: readonly string[]): NodeLabelsAndTaints => {
  if (words.length === 0 && labels.length + taints.length > 0) {
    throw new Failure('usage', '--label and --taint need the names of the hosts that they are for', {
      next: 'name them: kbs join worker-00 --label tier=gold; for several at once, write them into the inventory',
    });
  }
  const problems = [
    ...labels.flatMap((text) => {
      const [key = '', value] = splitLabel(text);
      if (value === undefined) return [`--label ${text} is not KEY=VALUE`];
      if (!labelKey.accepts(key)) return [`--label ${text}: ${key} ${formatProblem(labelKey, key)}`];
      return labelValue.accepts(value) ? [] : [`--label ${text}: ${value} ${formatProblem(labelValue, value)}`];
    }),
    ...taints.filter((text) => !taint.accepts(text)).map((text) => `--taint ${text} ${formatProblem(taint, text)}`),
  ];
  if (problems.length > 0) throw new Failures(problems.map((problem) => new Failure('usage', problem)));
  return { labels: labels.map((text) => [splitLabel(text)[0] ?? '', splitLabel(text)[1] ?? '']), taints };
};

const splitLabel = (text: string): readonly [string, string?] => {
  const equals = text.indexOf('=');
  return equals < 0 ? [text] : [text.slice(0, equals), text.slice(equals + 1)];
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

const requireKnown = (hosts: readonly Pick<ClusterHost, 'name'>[], names: readonly string[], advice: string): void => {
  const known = hosts.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName('the inventory has no worker', unknown, known, advice);
};
