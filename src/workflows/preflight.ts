import { type HostPhases, observe, observedFacts } from '../engine/observe.js';
import { type Problem, toProblem } from '../failure.js';
import type { RunOptions } from '../hosts/host.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { keyringDirectory, readKeyring } from '../pki/keyring.js';
import type { CheckResult } from '../preflight/check.js';
import { gpuAdvice } from '../preflight/gpu-advice.js';
import { runChecks, runProbeChecks } from '../preflight/run-checks.js';
import { openArtifactsOrPlaceholders } from './cluster-artifacts.js';
import { loadCluster } from './load-cluster.js';
import { contextInputs, now } from './run/phase-context.js';
import { pinPodCidrs, readRecord } from './run/pod-cidrs.js';
import { withPool } from './run/pool.js';
import { balancersToProbe, probeVip } from './run/vip-conflict.js';

export interface PreflightOptions {
  readonly acceptNewHostKeys: boolean;
  /** Names of hosts; all of the inventory where absent. */
  readonly limit?: readonly string[];
  readonly skippedChecks: ReadonlySet<string>;
  /** For each question; two minutes where no timeout is given. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
}

export interface Preflight {
  readonly cluster: string;
  /** The hosts that were to be observed, in the order of the inventory. */
  readonly hosts: readonly {
    readonly name: string;
    /** Why the host could not be observed; its checks are missing then. */
    readonly problem?: Problem;
  }[];
  /** Failed and passed ones of the hosts that were observed. */
  readonly checks: readonly CheckResult[];
  /** What could be done with a host that is in order as it is. */
  readonly advice: readonly { readonly host: string; readonly text: string }[];
}

/**
 * Observes the hosts of an inventory and runs every check of preflight at once, with a probe for the virtual address.
 * Changes no host. A host that does not answer is named with the problem.
 */
export const preflightOf = async (
  file: string,
  { acceptNewHostKeys, limit, skippedChecks, limits }: PreflightOptions,
): Promise<Preflight> => {
  const loadedBefore = await loadCluster(file);
  const hosts = selected(loadedBefore.cluster, limit);
  const { loaded } = await pinPodCidrs(loadedBefore, await readRecord(loadedBefore.state));
  const { cluster } = loaded;
  const { identity } = await readKeyring(keyringDirectory(loadedBefore.inventory, cluster.name), cluster, new Date());
  const artifacts = await openArtifactsOrPlaceholders(loaded, () => {});
  return withPool(acceptNewHostKeys, async (pool) => {
    const from = now();
    const runHosts = hosts.map((host): HostPhases => ({ host, phases: [] }));
    const inputs = contextInputs(cluster, artifacts, { startedAt: from, targetNodes: [] });
    const observation = await observe(runHosts, inputs, (host) => pool.host(host), noEvents, limits);
    const { unreachable } = observation;
    const interrupted = [...unreachable.values()].find(({ code }) => code === 'interrupted');
    if (interrupted) throw interrupted;
    const facts = observedFacts(observation);
    const to = Math.ceil(Date.now() / 1000);
    const { signal } = limits;
    const probes = await probeVip(balancersToProbe(cluster, facts, skippedChecks), { cluster, facts, pool, signal });
    return {
      cluster: cluster.name,
      hosts: hosts.map(({ name }) => {
        const failure = unreachable.get(name);
        return failure === undefined ? { name } : { name, problem: toProblem(failure) };
      }),
      checks:
        facts.size === 0
          ? []
          : [
              ...runChecks(
                {
                  workflow: 'preflight',
                  cluster,
                  facts,
                  keyring: identity,
                  bundle: artifacts.architectures,
                  from,
                  to,
                  restores: false,
                },
                skippedChecks,
              ),
              ...runProbeChecks(probes, cluster, skippedChecks),
            ],
      advice: hosts.flatMap((host) => {
        const of = facts.get(host.name);
        return of === undefined ? [] : gpuAdvice(host, of).map((text) => ({ host: host.name, text }));
      }),
    };
  });
};

const noEvents = (): void => {};

const selected = ({ hosts }: Cluster, limit: readonly string[] | undefined): readonly ClusterHost[] => {
  if (limit === undefined) return hosts;
  const names = hosts.map(({ name }) => name);
  const unknown = limit.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw unknownName('no such host in the inventory:', unknown, names);
  return hosts.filter(({ name }) => limit.includes(name));
};
