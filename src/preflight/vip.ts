import type { Facts } from '../hosts/facts/facts.js';
import { contains, networkOf, prefixLength } from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, isLoadBalancer, loadBalancers } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';
import type { VipProbe } from './vip-probe.js';

/** A load balancer can hold the virtual address only on an interface in its network. */
export const checkVipNetwork = (
  host: ClusterHost,
  { addresses, network }: Facts,
  { endpoint: { vip, external }, network: { segments } }: Cluster,
): readonly FailedCheck[] => {
  const isIn = (found: string) => !found.endsWith('/32') && contains(networkOf(found), vip ?? '');
  if (vip === undefined || external || !isLoadBalancer(host) || addresses.some(isIn)) return [];
  const alone = `${host.address}/32`;
  const cidr = segments.find(({ name }) => name === host.segment)?.cidr;
  const device = network?.links.find((link) => link.addresses.includes(alone))?.name ?? 'DEVICE';
  return [
    {
      detail: `no interface is in the network of ${vip} (the machine has ${addresses.join(', ') || 'no address'})`,
      next:
        cidr !== undefined && addresses.includes(alone)
          ? `if the machine is in the network ${cidr}, give its address that prefix in its network settings: ip addr add ${host.address}/${prefixLength(cidr)} dev ${device}; otherwise take a load balancer outside the cluster: endpoint.external`
          : 'write an endpoint.vip that lies in a network of every load balancer',
    },
  ];
};

/** Another machine answers for the virtual address. */
export const checkVipFree = ({ question: { vip }, received, error }: VipProbe): readonly FailedCheck[] => {
  if (received === undefined) return [noProbe(`${vip} is free`, error)];
  return failIf(
    received.owner !== undefined,
    `${vip} is in use: ${received.owner} answers for it`,
    'write a free address as endpoint.vip, or switch that machine off',
  );
};

/** Another router, which is no load balancer of this cluster, advertises the router id for other addresses. */
export const checkRouterId = (
  { question: { vip, routerId }, received, error }: VipProbe,
  cluster: Cluster,
): readonly FailedCheck[] => {
  if (received === undefined) return [noProbe(`the virtual router id ${routerId} is free`, error)];
  const ours = loadBalancers(cluster).map(({ address }) => address);
  return received.adverts
    .filter(
      ({ from, addresses, ...advert }) =>
        advert.routerId === routerId && !ours.includes(from) && !addresses.includes(vip),
    )
    .slice(0, 1)
    .map(({ from, addresses }) => ({
      detail: `${from} uses the virtual router id ${routerId} for ${addresses.join(', ') || 'another address'}`,
      next: 'write another endpoint.routerId, from 1 to 255',
    }));
};

const noProbe = (claim: string, error: string | undefined): FailedCheck => ({
  detail: `cannot tell whether ${claim}: ${error || 'perl is not installed'}`,
  next: `${error ? 'see what keeps perl from listening there' : 'install perl there'}, or skip both probes: --skip-check vip,router-id`,
});
