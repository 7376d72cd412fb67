import { type ClusterHost, isApiHost, isControlPlane, isLoadBalancer, nodes } from '../inventory/cluster.js';
import { adminConf } from '../kubernetes/kubectl.js';
import { apiAnswers } from './gates.js';
import { lanDns } from './lan-dns/lan-dns.js';
import { loadBalancer } from './load-balancer/load-balancer.js';
import type { Phase, PhaseContext, PhaseReference } from './phase.js';

/**
 * Stops haproxy, keepalived and CoreDNS on a host that is no load balancer or DNS server any more: they would hold the
 * virtual address or a port, or answer with old names. This is early in the list, but waits for the hosts that have the
 * role now, so that the service is not interrupted.
 */
export const staleServices: Phase = {
  name: 'stale-services',
  ensures: 'nothing runs for a role that the host has no more',
  appliesTo: () => true,
  after: (host, context) => [
    ...successors(loadBalancer, host, context),
    ...successors(lanDns, host, context).filter(({ host: other }) => !wouldWaitForEachOther(other, host, context)),
  ],
  resources: () => [],
  prunes: { of: [loadBalancer.name, lanDns.name], first: true },
};

/** The phase on the hosts that it applies to; none if it still applies to this host. */
const successors = (phase: Phase, host: ClusterHost, { cluster }: PhaseContext): readonly PhaseReference[] =>
  phase.appliesTo(host, cluster)
    ? []
    : cluster.hosts
        .filter((other) => phase.appliesTo(other, cluster))
        .map(({ name }) => ({ host: name, phase: phase.name }));

/**
 * If two control planes swap the roles of load balancer and DNS server, each would wait for the other before its rolling
 * update begins. So the one that is the load balancer now does not wait for the DNS server.
 */
const wouldWaitForEachOther = (other: string, host: ClusterHost, { cluster }: PhaseContext): boolean =>
  [host, ...cluster.hosts.filter(({ name }) => name === other)].every(isControlPlane) &&
  isLoadBalancer(host) &&
  !cluster.hosts.some((each) => each.name === other && isLoadBalancer(each));

/** Waits for `proxy` on every node: kube-proxy's DaemonSet is deleted only when every node runs kube-proxy as a unit. */
export const pruneObjects: Phase = {
  name: 'prune-objects',
  ensures: 'the cluster holds no object of kbs that no phase wants',
  appliesTo: isApiHost,
  gates: () => [apiAnswers],
  after: (host, { cluster }) =>
    nodes(cluster)
      .filter(({ name }) => name !== host.name)
      .map(({ name }) => ({ host: name, phase: 'proxy' })),
  resources: () => [],
  prunes: { objectsThrough: adminConf },
};

/**
 * This is near the end, when the replacements run and nothing uses the leftovers any more. It waits for `prune-objects`:
 * pods that are deleted with their objects use images of their node until then.
 */
export const prune: Phase = {
  name: 'prune',
  ensures: 'the host holds nothing of kbs that no phase wants',
  appliesTo: () => true,
  after: (host, { cluster }) =>
    isApiHost(host, cluster)
      ? []
      : cluster.hosts
          .filter((other) => isApiHost(other, cluster))
          .map(({ name }) => ({ host: name, phase: pruneObjects.name, mayFail: true })),
  resources: () => [],
  prunes: { of: 'rest' },
};
