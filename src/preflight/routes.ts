import type { Facts, LiveRoute } from '../hosts/facts/facts.js';
import { contains, networkOf, overlaps } from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, isNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/**
 * The kernel looks for a route before kube-proxy turns a Service's address into a pod's; in mode ipvs the address is
 * local.
 */
export const checkDefaultRoute = (
  host: ClusterHost,
  { routes }: Facts,
  { network: { services }, kubernetes }: Cluster,
): readonly FailedCheck[] => {
  const leads = routes.some(({ to }) => to === 'default' || contains(to, services));
  const lan = routes.find(({ to, via }) => to !== 'default' && via === undefined && contains(to, host.address));
  return failIf(
    isNode(host) && kubernetes.proxy !== 'ipvs' && !leads,
    `programs of the host itself cannot reach Services, ${services}: there is no default route, and none of their own`,
    `set a default route, or one for them alone: ip route add ${services} dev ${lan?.device || 'DEVICE'}; see that it is there after a reboot`,
  );
};

/** Routes of others into the networks of pods and Services. */
export const checkNetworkOverlap = (
  host: ClusterHost,
  { routes, addresses }: Facts,
  cluster: Cluster,
): readonly FailedCheck[] => {
  const ours = new Set((cluster.routes[host.name] ?? []).map(({ to }) => to));
  const { pods, services } = cluster.network;
  const networks = Object.entries({ pods, services });
  return routes
    .filter(
      (route) =>
        route.to !== 'default' &&
        route.device !== 'cni0' &&
        !ours.has(route.to) &&
        !isStale(route, pods) &&
        !isForServices(route, services, addresses),
    )
    .flatMap(({ to, device }) =>
      networks
        .filter(([, cidr]) => overlaps(cidr, to))
        .map(([name, cidr]) => ({
          detail: `network.${name} ${cidr} overlaps the route to ${to}${device && ` on ${device}`}`,
          next: `choose another network.${name} in the inventory`,
        })),
    );
};

/** A route by a gateway to a part of the pod network is a leftover of kbs's own, which the routes phase replaces. */
const isStale = ({ to, via }: LiveRoute, pods: string): boolean =>
  via !== undefined && contains(pods, to) && to !== pods;

/** What `default-route` advises: a link's route to the Services alone, on a link that has no address of theirs. */
const isForServices = ({ to, via }: LiveRoute, services: string, addresses: readonly string[]): boolean =>
  to === services && via === undefined && !addresses.some((address) => overlaps(networkOf(address), services));
