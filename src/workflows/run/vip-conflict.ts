import type { Observation } from '../../engine/observe.js';
import type { Plan } from '../../engine/plan.js';
import { type Failure, Failures } from '../../failure.js';
import { query } from '../../hosts/host.js';
import { type ClusterHost, loadBalancers } from '../../inventory/cluster.js';
import { deviceTo, keepalivedPath, routerIdOf } from '../../phases/load-balancer/load-balancer.js';
import { checkVipProbe, parseVipProbe, vipCheckNames, vipProbeScript } from '../../preflight/vip-probe.js';
import type { PhaseRun } from './phase-workflow.js';

/**
 * Throws where the virtual address or its router id is somebody else's. Asked of the load balancers that the plan is
 * about to let hold the address, in parallel; not where one of them holds it already, or could not be asked.
 */
export const checkVipConflict = async (
  { cluster, pool, skippedChecks = new Set(), signal }: PhaseRun,
  { context, answers }: Observation,
  plan: Plan,
): Promise<void> => {
  const { vip, routerId } = cluster.endpoint;
  const balancers = loadBalancers(cluster);
  const holds = ({ name }: ClusterHost) => context.facts(name).addresses.some((found) => found.split('/')[0] === vip);
  const asked = balancers.filter(({ name }) => installs(plan, name));
  if (vip === undefined || vipCheckNames.every((name) => skippedChecks.has(name))) return;
  if (!balancers.every(({ name }) => answers.has(name)) || balancers.some(holds)) return;
  const ours = balancers.map(({ address }) => address);
  const refusals = await Promise.all(
    asked.map(async (host): Promise<readonly Failure[]> => {
      const { address, name } = host;
      const device = deviceTo(vip, context.facts(name).routes);
      const question = { address, vip, device, routerId: routerIdOf(routerId, vip) };
      const { stdout } = await pool.host(host).query(query(vipProbeScript(question)), { signal, timeout: 30_000 });
      return checkVipProbe(name, question, parseVipProbe(stdout), ours, skippedChecks);
    }),
  );
  if (refusals.flat().length > 0) throw new Failures(refusals.flat());
};

const installs = (plan: Plan, name: string): boolean =>
  plan.hosts.some(
    ({ host, phases }) =>
      host === name && phases.some(({ changes }) => changes.some(({ id }) => id === keepalivedPath)),
  );
