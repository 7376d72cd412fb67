import { defined } from '../defined.js';
import type { Problem } from '../failure.js';
import { failuresIn, toProblem } from '../failure.js';
import { type Machine, machineScript, parseMachine } from '../hosts/facts/machine.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { messageOf } from '../hosts/message.js';
import { lines, type Script, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes, isLoadBalancer } from '../inventory/cluster.js';
import { firstAnsweringApiHost } from '../kubernetes/api-host.js';
import { type Expiry, expiries } from '../pki/expiry.js';
import { keyringDirectory } from '../pki/keyring.js';
import type { CheckResult } from '../verify/check-result.js';
import { components } from '../verify/components.js';
import { askForwards, type ForwardState, readForwards } from '../verify/forward-states.js';
import { loadCluster } from './load-cluster.js';
import { withPool } from './run/pool.js';

export interface Status {
  readonly cluster: string;
  readonly version: string;
  readonly healthy: boolean;
  /** Whether any control plane answers: without one nothing is known of the cluster. */
  readonly reached: boolean;
  readonly hosts: readonly HostStatus[];
  /** Nodes and the pods of kube-system; empty where the control plane could not be asked. */
  readonly findings: readonly CheckResult[];
  /** Of the keyring on this machine, those that end first; empty where it has none. */
  readonly certificates: readonly Expiry[];
}

export interface HostStatus {
  readonly name: string;
  readonly address: string;
  readonly roles: readonly string[];
  readonly segment: string;
  readonly podCidr?: string;
  /** In a cluster of both families. */
  readonly ipv6?: { readonly address: string; readonly podCidr?: string };
  /** Why the host does not answer, and what to do about it; absent where it does. */
  readonly problem?: Problem;
  /** Absent where the host does not answer. */
  readonly machine?: Machine;
  /** Routes of this host that are in the kernel, of those that should be: `3/3`. */
  readonly routes?: string;
  /** Of a load balancer that answers and forwards ports. */
  readonly forwards?: readonly ForwardState[];
}

export interface StatusOptions {
  readonly acceptNewHostKeys: boolean;
  /** For each question; two minutes where no timeout is given. */
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
}

/** Asks every host one question, and the API server three. A host that does not answer in time is in trouble. */
export const statusOf = async (file: string, { acceptNewHostKeys, limits }: StatusOptions): Promise<Status> => {
  const { cluster, inventory } = await loadCluster(file);
  const certificates = await expiries(keyringDirectory(inventory, cluster.name), cluster, new Date());
  return withPool(acceptNewHostKeys, async (pool) => {
    const ask = (host: ClusterHost) =>
      pool.host(host).query(query(hostScript(host, cluster)), { timeout: 120_000, ...limits });
    const hosts = await Promise.all(
      cluster.hosts.map(async (host) => {
        const outline = outlineOf(host);
        try {
          const { stdout } = await ask(host);
          const forwards = isLoadBalancer(host) ? readForwards(stdout, cluster) : [];
          return {
            ...outline,
            ...defined({ machine: parseMachine(stdout) }),
            routes: routesOf(host, cluster, stdout),
            ...(forwards.length > 0 ? { forwards } : {}),
          };
        } catch (error) {
          if (limits.signal?.aborted) throw error;
          const [failure] = failuresIn(error);
          if (!failure) throw error;
          return { ...outline, problem: toProblem(failure) };
        }
      }),
    );
    const withProblem = new Set(hosts.flatMap(({ name, problem }) => (problem === undefined ? [] : [name])));
    const reachable = controlPlanes(cluster).filter(({ name }) => !withProblem.has(name));
    const apiHost = await firstAnsweringApiHost(reachable, (host) => pool.host(host), limits);
    const findings = apiHost ? await findingsOf(cluster, pool.host(apiHost), limits) : [];
    const healthy =
      hosts.every(({ problem, forwards = [] }) => problem === undefined && forwards.every(({ ok }) => ok)) &&
      findings.length > 0 &&
      findings.every(({ ok }) => ok);
    return {
      cluster: cluster.name,
      version: cluster.kubernetes.version,
      healthy,
      reached: reachable.length > 0,
      hosts,
      findings,
      certificates,
    };
  });
};

const hostScript = (host: ClusterHost, cluster: Cluster): Script =>
  lines(
    sh`ip -4 route show table main`,
    ...(host.ipv6 === undefined ? [] : [sh`ip -6 route show table main`]),
    machineScript,
    ...(isLoadBalancer(host) ? [askForwards(cluster)] : []),
  );

/** A control plane that hangs with its API server is something to show, like a host that hangs. */
const findingsOf = async (cluster: Cluster, host: Host, limits: RunOptions): Promise<readonly CheckResult[]> => {
  try {
    return await components(cluster, host, { limits });
  } catch (error) {
    if (limits.signal?.aborted) throw error;
    return [{ proof: 'components', name: 'kube-apiserver', ok: false, detail: messageOf(error), ms: 0 }];
  }
};

const outlineOf = ({ name, address, roles, segment, podCidr, ipv6 }: ClusterHost): HostStatus => ({
  name,
  address,
  roles,
  segment,
  ...defined({
    podCidr,
    ipv6: ipv6 && { address: ipv6.address, ...defined({ podCidr: ipv6.podCidr }) },
  }),
});

const routesOf = (host: ClusterHost, cluster: Cluster, live: string): string => {
  const wanted = cluster.routes[host.name] ?? [];
  const lines = live.split('\n');
  const there = wanted.filter(({ to, via }) => lines.some((line) => line.startsWith(`${to} via ${via} `)));
  return `${there.length}/${wanted.length}`;
};
