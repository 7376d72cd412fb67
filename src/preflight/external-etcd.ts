import { controlPlanes, isControlPlane } from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts, HostCheck } from './check.js';

/**
 * API servers that go on with another etcd find nothing there. Members of one may come and go; so one endpoint that is in
 * both is the same etcd.
 */
export const etcdChangeCheck = {
  name: 'etcd-change',
  scope: 'host',
  summary: 'an API server that runs goes on with the etcd that it has: its own member, or an external one',
  fix: 'write `kubernetes.etcd` as it was',
  check: (host, { etcdServers }, { name, kubernetes: { externalEtcd } }) => {
    const wanted = externalEtcd?.endpoints ?? [ownEndpoint];
    if (!isControlPlane(host) || etcdServers.length === 0) return [];
    if (etcdServers.some((each) => wanted.includes(each))) return [];
    const used = etcdServers[0] === ownEndpoint ? 'its own member of etcd' : `the etcd at ${etcdServers.join(', ')}`;
    const named = externalEtcd === undefined ? 'no external one' : `the one at ${wanted.join(', ')}`;
    return [
      {
        detail: `its API server uses ${used}, and the inventory names ${named}: all objects of ${name} would be gone`,
        next: `write \`kubernetes.etcd\` as it was; to begin anew with the other etcd: kbs reset, before the inventory is changed`,
      },
    ];
  },
} satisfies HostCheck;

/** Where an API server asks the member on its own host. */
const ownEndpoint = 'https://127.0.0.1:2379';

/** One endpoint is enough for an API server to begin with. */
export const externalEtcdCheck = {
  name: 'external-etcd',
  scope: 'host',
  summary: 'an endpoint of the external etcd, where there is one, takes connections from every control plane',
  fix: 'start that etcd, or let the control planes through its firewall',
  check: (host, { network }) => {
    const asked = network?.connections ?? [];
    if (!isControlPlane(host) || asked.length === 0 || asked.some(({ open }) => open !== false)) return [];
    return [
      {
        detail: `no endpoint of the external etcd takes connections from this host: ${asked.map(({ to }) => to).join(', ')}`,
        next: 'start that etcd, let the host through its firewall, or correct `kubernetes.etcd.external.endpoints`',
      },
    ];
  },
} satisfies HostCheck;

/** Endpoints that are closed beside open ones, and what could not be tried. */
export const externalEndpointsCheck = {
  name: 'external-etcd',
  scope: 'cluster',
  warns: true,
  summary: 'all endpoints of the external etcd, where there is one, take connections from the control planes',
  fix: 'bring the other members back, or leave their endpoints out',
  check: ({ cluster, facts }: Pick<ClusterFacts, 'cluster' | 'facts'>) =>
    controlPlanes(cluster).flatMap(({ name }) => {
      const asked = facts.get(name)?.network?.connections ?? [];
      const isSome = asked.some(({ open }) => open !== false);
      const closed = asked.filter(({ open }) => isSome && open === false).map(({ to }) => to);
      const unknown = asked.filter(({ open }) => open === undefined).map(({ to }) => to);
      return [
        ...(closed.length === 0
          ? []
          : [
              {
                hosts: [name],
                detail: `of the external etcd, ${closed.join(', ')} takes no connections from here`,
                next: 'bring it back, or correct `kubernetes.etcd.external.endpoints`',
              },
            ]),
        ...(unknown.length === 0
          ? []
          : [
              {
                hosts: [name],
                detail: `cannot tell whether ${unknown.join(', ')} takes connections from here: bash or timeout is not installed`,
                next: 'nothing, where it does: API servers are started only once it answers',
              },
            ]),
      ];
    }),
} satisfies ClusterCheck;
