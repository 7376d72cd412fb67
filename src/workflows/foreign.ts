import { placeholderArtifacts } from '../artifacts/placeholder.js';
import { type HostPhases, observe } from '../engine/observe.js';
import { Failure, type Problem, toProblem } from '../failure.js';
import { parseRemains, remainsScript } from '../hosts/facts/remains.js';
import type { RunOptions } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { keyringDirectory, readKeyring } from '../pki/keyring.js';
import { hasForeignEtcd } from '../preflight/other-clusters.js';
import { type Explanation, explainRemains } from '../preflight/remains.js';
import type { LoadedCluster } from './load-cluster.js';
import { removedHosts } from './remove/affected-hosts.js';
import { contextInputs, now } from './run/phase-context.js';
import { type OpenPool, withPool } from './run/pool.js';

export interface ForeignOptions {
  /** All hosts of the inventory where empty. */
  readonly names: readonly string[];
  readonly acceptNewHostKeys: boolean;
  /** For each question; two minutes where no timeout is given. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
  readonly openPool?: OpenPool;
}

/** What other clusters have left on hosts. */
export interface Foreign {
  readonly cluster: string;
  readonly hosts: readonly ForeignHost[];
}

export type ForeignHost = {
  readonly name: string;
  /** Why nothing is known of the host; what was found is empty then. */
  readonly problem?: Problem;
} & Explanation;

/** Asks hosts what other clusters have left there, and explains how it ends. Changes no host. */
export const foreignOf = async (
  loaded: LoadedCluster,
  { names, acceptNewHostKeys, limits, openPool }: ForeignOptions,
): Promise<Foreign> => {
  const { cluster, inventory } = loaded;
  const hosts = names.length === 0 ? cluster.hosts : removedHosts(cluster, names);
  const { identity } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, new Date());
  const observed = await withPool(
    acceptNewHostKeys,
    (pool) =>
      observe(
        hosts.map((host): HostPhases => ({ host, phases: [] })),
        contextInputs(cluster, placeholderArtifacts(cluster.kubernetes.version), { startedAt: now(), targetNodes: [] }),
        (host) => pool.host(host),
        () => {},
        { ...limits, also: () => [{ name: 'remains of other clusters', script: remainsScript }] },
      ),
    openPool,
  );
  const { context, results, unreachable } = observed;
  const explained = hosts.map((host): ForeignHost => {
    const { name } = host;
    const facts = context.facts(name);
    const found = results.get(name)?.get(remainsScript);
    const failure = unreachable.get(name) ?? unread(host, facts.uid, found?.code);
    if (failure?.code === 'interrupted') throw failure;
    if (failure) return { name, problem: toProblem(failure), found: [], first: [], commands: [], stays: [] };
    const known = {
      running: facts.system?.otherClusters ?? [],
      foreignEtcd: hasForeignEtcd(facts, cluster, identity.ca),
    };
    return { name, ...explainRemains(parseRemains(found?.output ?? ''), known) };
  });
  return { cluster: cluster.name, hosts: explained };
};

/** What was not read would count as absent. */
const unread = ({ name }: ClusterHost, uid: number, code: number | undefined): Failure | undefined => {
  const what = 'cannot tell what other clusters have left on this host';
  if (uid !== 0) {
    return new Failure('refused', what, {
      where: { host: name },
      why: [`commands run as uid ${uid}, not as root`],
      next: 'log in as root, or set `ssh: { become: sudo }`',
    });
  }
  if (code === 0) return undefined;
  return new Failure('refused', what, {
    where: { host: name },
    why: [`the script that asks for them ended with status ${code}`],
    next: `see what is wrong there: kbs ssh ${name}`,
  });
};
