import { type Host, query, type RunOptions } from '../hosts/host.js';
import { messageOf } from '../hosts/message.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, type Script, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, isNode, type LoadBalancerServicesAddon } from '../inventory/cluster.js';
import type { AddonOptions } from './addon-options.js';
import type { CheckResult } from './check-result.js';
import { makePoolServices, type PoolService } from './pool-services.js';

/** A Service gets an address of each pool, a node announces it, and a host of each segment reaches the Service there. */
export const verifyLoadBalancerServices = async (
  { pools }: LoadBalancerServicesAddon,
  cluster: Cluster,
  host: Host,
  { namespace, hostOf, limits }: Pick<AddonOptions, 'namespace' | 'hostOf' | 'limits'>,
): Promise<readonly CheckResult[]> => {
  const begun = Date.now();
  const bounded = { timeout: 120_000, ...limits };
  const services = await makePoolServices(pools, host, namespace, bounded);
  const results = services.map((service) => addressResult(service, Date.now() - begun));
  const announced = services.filter(({ address }) => address !== undefined);
  if (announced.length === 0) return results;
  for (const segment of new Set(cluster.hosts.map((each) => each.segment))) {
    results.push(...(await reachedFrom(clientsOf(segment, cluster, announced), announced, hostOf, bounded)));
  }
  return results;
};

const proof = 'Service from LAN';

const addressResult = ({ segment, address, node, why = '' }: PoolService, ms: number): CheckResult => {
  const result = { proof, name: `a Service gets an address of ${segment}`, ms };
  if (address === undefined) return { ...result, ok: false, detail: why };
  return node === undefined
    ? { ...result, ok: false, detail: `${address}, which no node announces` }
    : { ...result, ok: true, detail: `${address}, announced by ${node}` };
};

/**
 * The hosts of a segment, the best clients first: those that are no nodes, for on a node kube-proxy leads to a pod without
 * the LAN; then nodes that announce nothing, which can ask on the LAN for the addresses of their segment.
 */
export const clientsOf = (
  segment: string,
  { hosts }: Pick<Cluster, 'hosts'>,
  services: readonly PoolService[],
): readonly ClusterHost[] => {
  const rank = (host: ClusterHost): number =>
    Number(isNode(host)) + Number(services.some(({ node }) => node === host.name));
  return hosts.filter((host) => host.segment === segment).toSorted((one, other) => rank(one) - rank(other));
};

/** The first of the clients that kbs can log in to asks every Service. */
const reachedFrom = async (
  clients: readonly ClusterHost[],
  services: readonly PoolService[],
  hostOf: AddonOptions['hostOf'],
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  const begun = Date.now();
  let failed: readonly CheckResult[] = [];
  for (const client of clients) {
    const asked = services.map((service) => ask(service.address ?? '', seesNeighbour(client, service)));
    try {
      const { stdout } = await hostOf(client).query(query(asRecords(...asked)), limits);
      const said = splitRecords(stdout);
      return services.map((service, index) => reachResult(service, client, said[index] ?? '', Date.now() - begun));
    } catch (error) {
      const detail = `cannot tell: ${messageOf(error)}`;
      failed = services.map((service) => ({ proof, name: route(client, service), ok: false, detail, ms: 0 }));
    }
  }
  return failed;
};

const route = ({ name, segment }: ClusterHost, { segment: pool, address = '' }: PoolService): string =>
  `${name} (${segment}) → ${address} (${pool})`;

/**
 * Asks for a page, a few times, and prints the last answer's first line, then what the kernel knows of the address as a
 * neighbour. A node does not look for an address that kube-proxy leads elsewhere; for a datagram to another port it does.
 */
const ask = (address: string, seesNeighbour: boolean): Script => {
  const enough = seesNeighbour
    ? sh`case "$kbs_said $kbs_neighbour" in *' 200 '*lladdr*) break;; esac`
    : sh`case $kbs_said in *' 200 '*) break;; esac`;
  return sh`for kbs_try in 1 2 3 4 5 6; do
  timeout 1 bash -c 'echo >/dev/udp/$0/9' ${address} 2>/dev/null || :
  kbs_said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>/dev/tcp/$0/80; printf "GET /whoami HTTP/1.0\\r\\n\\r\\n" >&3; head -n 1 <&3' ${address} 2>&1 | tail -n 1)
  kbs_neighbour=$(ip neighbour show to ${address})
  ${raw(enough)}
  sleep 1
done
printf '%s\\n%s\\n' "$kbs_said" "$kbs_neighbour"`;
};

/** Whether the client is on the LAN of the address, and another node announces it there. */
const seesNeighbour = ({ name, segment }: ClusterHost, service: PoolService): boolean =>
  segment === service.segment && name !== service.node;

/** What a client has printed about a Service, as a result. */
export const reachResult = (service: PoolService, client: ClusterHost, printed: string, ms: number): CheckResult => {
  const [said = '', neighbour = ''] = printed.trim().split('\n');
  const result = { proof, name: route(client, service), ms };
  if (!/^HTTP\/\S+ 200 /.test(said)) {
    const why = said.trim().split(': ').at(-1) || 'no answer within 3 seconds';
    return { ...result, ok: false, detail: why };
  }
  const [, hardware] = /lladdr (\S+)/.exec(neighbour) ?? [];
  if (hardware !== undefined) return { ...result, ok: true, detail: `answers, at ${hardware}` };
  if (seesNeighbour(client, service)) {
    return {
      ...result,
      ok: false,
      detail: 'kube-proxy leads to a pod, and nothing on the LAN answers for the address',
    };
  }
  return { ...result, ok: true, detail: isNode(client) ? 'answers, by the kube-proxy of the node itself' : 'answers' };
};
