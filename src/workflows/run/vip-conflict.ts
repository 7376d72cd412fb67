import { defined } from '../../defined.js';
import { type Observation, observedFacts } from '../../engine/observe.js';
import type { Plan } from '../../engine/plan.js';
import { Failure } from '../../failure.js';
import type { Facts } from '../../hosts/facts/facts.js';
import { query, type RunOptions } from '../../hosts/host.js';
import { lastLines } from '../../hosts/last-lines.js';
import type { Pool } from '../../hosts/pool.js';
import { type Cluster, type ClusterHost, loadBalancers } from '../../inventory/cluster.js';
import { deviceTo, keepalivedPath, routerIdOf } from '../../phases/load-balancer/load-balancer.js';
import { checks } from '../../preflight/index.js';
import { runProbeChecks, type VipProbes } from '../../preflight/run-checks.js';
import { parseVipProbe, type VipProbe, vipProbeScript } from '../../preflight/vip-probe.js';
import { throwFailed } from './checks.js';
import type { PhaseRun } from './phase-workflow.js';

/**
 * Throws where another machine has the virtual address or its router id. Probes from the load balancers on which the
 * plan is about to set keepalived up.
 */
export const checkVipConflict = async (
  { cluster, pool, skippedChecks = new Set(), signal }: PhaseRun,
  observation: Observation,
  plan: Plan,
): Promise<void> => {
  const facts = observedFacts(observation);
  const asked = balancersToProbe(cluster, facts, skippedChecks).filter(({ name }) => installs(plan, name));
  throwFailed(runProbeChecks(await probeVip(asked, { cluster, facts, pool, signal }), cluster, skippedChecks));
};

/**
 * The load balancers from which the virtual address can be probed: none where a host of the cluster holds it already, or
 * a load balancer was not observed and may hold it.
 */
export const balancersToProbe = (
  cluster: Cluster,
  facts: ReadonlyMap<string, Facts>,
  skipped: ReadonlySet<string>,
): readonly ClusterHost[] => {
  const { vip, external } = cluster.endpoint;
  const balancers = loadBalancers(cluster);
  // Also a host that was a load balancer until now.
  const isHeld = [...facts.values()].some(({ addresses }) => addresses.some((found) => found.split('/')[0] === vip));
  const isUnknown = balancers.some(({ name }) => !facts.has(name));
  const allSkipped = checks.every(({ name, scope }) => scope !== 'probe' || skipped.has(name));
  return vip === undefined || external || allSkipped || isHeld || isUnknown ? [] : balancers;
};

/** Probes from each of these load balancers, in parallel; see `vipProbeScript`. */
export const probeVip = async (
  balancers: readonly ClusterHost[],
  {
    cluster,
    facts,
    pool,
    signal,
  }: {
    readonly cluster: Cluster;
    readonly facts: ReadonlyMap<string, Facts>;
    readonly pool: Pick<Pool, 'host'>;
    readonly signal: RunOptions['signal'];
  },
): Promise<VipProbes> => {
  const { vip = '', routerId } = cluster.endpoint;
  const limits = { timeout: 30_000, ...defined({ signal }) };
  const probe = async (host: ClusterHost): Promise<readonly [string, VipProbe]> => {
    const { address, name } = host;
    const device = deviceTo(vip, address, facts.get(name) ?? { routes: [] });
    const question = { address, vip, device, routerId: routerIdOf(routerId, vip) };
    try {
      const { stdout, stderr } = await pool.host(host).query(query(vipProbeScript(question)), limits);
      return [name, { question, received: parseVipProbe(stdout), error: lastLines(stderr).join('; ') }];
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'interrupted') throw error;
      return [name, { question, error: error.message }];
    }
  };
  return new Map(await Promise.all(balancers.map(probe)));
};

const installs = (plan: Plan, name: string): boolean =>
  plan.hosts.some(
    ({ host, phases }) =>
      host === name && phases.some(({ changes }) => changes.some(({ id }) => id === keepalivedPath)),
  );
