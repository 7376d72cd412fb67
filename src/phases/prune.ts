import { type ClusterHost, isApiHost, isControlPlane, isLoadBalancer, nodes } from '../inventory/cluster.js';
import { adminConf } from '../kubernetes/kubectl.js';
import { apiAnswers } from './gates.js';
import { lanDns } from './lan-dns/lan-dns.js';
import { loadBalancer } from './load-balancer/load-balancer.js';
import type { Phase, PhaseContext, PhaseReference } from './phase.js';

/**
 * A balancer that still held the virtual address would do harm, and so would a server that still answered with old names
 * or held a port. So these go early, but after the hosts that have the role now: until then they alone serve.
 */
export const staleServices: Phase = {
  name: 'stale-services',
  ensures: 'nothing runs for a role that the host has no more',
  appliesTo: () => true,
  after: (host, context) => [
    ...successors(loadBalancer, host, context),
    ...successors(lanDns, host, context).filter(({ host: other }) => !waitsInItsSpan(other, host, context)),
  ],
  resources: () => [],
  prunes: { of: [loadBalancer.name, lanDns.name], first: true },
};

/** Hosts that the phase applies to; none where it still applies to this one. */
const successors = (phase: Phase, host: ClusterHost, { cluster }: PhaseContext): readonly PhaseReference[] =>
  phase.appliesTo(host, cluster)
    ? []
    : cluster.hosts
        .filter((other) => phase.appliesTo(other, cluster))
        .map(({ name }) => ({ host: name, phase: phase.name }));

/**
 * Whether a DNS server may wait for this host's load balancer. If two control planes swap these roles, each would wait for
 * the other before its rolling update begins: they do not wait.
 */
const waitsInItsSpan = (other: string, host: ClusterHost, { cluster }: PhaseContext): boolean =>
  [host, ...cluster.hosts.filter(({ name }) => name === other)].every(isControlPlane) &&
  isLoadBalancer(host) &&
  !cluster.hosts.some((each) => each.name === other && isLoadBalancer(each));

/** kube-proxy's DaemonSet, for one, goes only once every node has a unit in the place of its pod. */
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
 * Near the end, when all that takes the place of former things is there, and nothing uses them any more: pods that go with
 * their objects run images of their node until then.
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
