import { contains, networkOf, prefixLength } from '../inventory/addresses.js';
import { isLoadBalancer, loadBalancers } from '../inventory/cluster.js';
import { type FailedCheck, failIf, type HostCheck, type ProbeCheck } from './check.js';

/** A load balancer can hold the virtual address only on an interface in its network. */
export const vipNetworkCheck = {
  name: 'vip',
  scope: 'host',
  summary: 'a load balancer has an interface in the network of the virtual address',
  fix: 'write an `endpoint.vip` that lies in a network of every load balancer',
  check: (host, { addresses, network }, { endpoint: { vip, external }, network: { segments } }) => {
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
  },
} satisfies HostCheck;

/** Another machine answers for the virtual address. */
export const vipFreeCheck = {
  name: 'vip',
  scope: 'probe',
  summary: 'no other machine answers for the virtual address',
  fix: 'write a free address as `endpoint.vip`, or switch the other machine off',
  check: ({ question: { vip }, received, error }) => {
    if (received === undefined) return [noProbe(`${vip} is free`, error)];
    return failIf(
      received.owner !== undefined,
      `${vip} is in use: ${received.owner} answers for it`,
      'write a free address as endpoint.vip, or switch that machine off',
    );
  },
} satisfies ProbeCheck;

/** Another router, which is no load balancer of this cluster, advertises the router id for other addresses. */
export const routerIdCheck = {
  name: 'router-id',
  scope: 'probe',
  summary: 'no other router uses the virtual router id',
  fix: 'write another `endpoint.routerId`, from 1 to 255',
  check: ({ question: { vip, routerId }, received, error }, cluster) => {
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
  },
} satisfies ProbeCheck;

const noProbe = (claim: string, error: string | undefined): FailedCheck => ({
  detail: `cannot tell whether ${claim}: ${error || 'perl is not installed'}`,
  next: `${error ? 'see what keeps perl from listening there' : 'install perl there'}, or skip both probes: --skip-check vip,router-id`,
});
