import { uptime } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, isNode, isSpeaker, nodes } from '../inventory/cluster.js';
import type { ObjectResource, Resource } from '../resources/resource.js';
import { adminConf, apiAnswers } from './api.js';
import type { Phase, Site } from './phase.js';
import { proxyObjects } from './proxy-pods.js';
import { proxyUnit } from './proxy-unit.js';

/**
 * kube-proxy on every node: a pod of a DaemonSet, or a unit where the hard way was chosen. What it has written into
 * the kernel stays when it ends, so for the moments between the one and the other every Service works.
 */
export const proxy: Phase = {
  name: 'proxy',
  promises: 'Service addresses work on every node',
  on: (host, cluster) => isNode(host) || hasDaemonSet(host, cluster),
  gates: (host, { cluster }) => (hasDaemonSet(host, cluster) ? [apiAnswers] : []),
  resources: (host, site) => [
    ...(hasDaemonSet(host, site.cluster) ? [daemonSet(host, site)] : []),
    ...(isNode(host) ? onNode(host, site) : []),
  ],
};

/** The DaemonSet goes once every node has a unit in its place. */
export const noProxyPods: Phase = {
  name: 'no-proxy-pods',
  promises: 'no kube-proxy runs beside the unit',
  on: (host, cluster) => isSpeaker(host, cluster) && cluster.kubernetes.controlPlane === 'systemd',
  gates: (host, { cluster }) => [
    apiAnswers,
    ...nodes(cluster)
      .filter((node) => node !== host)
      .map(({ name }) => ({ name: `${name} has its unit`, test: ':', patience: 1, about: name })),
  ],
  resources: (host, site) => [{ kind: 'absent', resource: daemonSet(host, site) }],
};

const hasDaemonSet = (host: ClusterHost, cluster: Cluster): boolean =>
  isSpeaker(host, cluster) && cluster.kubernetes.controlPlane === 'static-pods';

const daemonSet = (host: ClusterHost, site: Site): ObjectResource => ({
  kind: 'object',
  name: 'kube-proxy',
  kubeconfig: adminConf,
  objects: proxyObjects(host, site),
});

/** The unit and its files, or that they go: last first, and only once the pod is there. */
const onNode = (host: ClusterHost, site: Site): readonly Resource[] => {
  const resources = proxyUnit(host, site);
  if (site.cluster.kubernetes.controlPlane === 'systemd') return resources;
  return [
    podRuns,
    ...resources
      .toReversed()
      .flatMap((resource): readonly Resource[] =>
        resource.kind === 'absent' || resource.kind === 'task' ? [] : [{ kind: 'absent', resource }],
      ),
  ];
};

/** Shell: leaves well where a kube-proxy runs that is not the unit's. */
const podIsThere = `for kbs_comm in $(grep -lx kube-proxy /proc/[0-9]*/comm 2>/dev/null); do
    grep -q '/kube-proxy[.]service' "\${kbs_comm%comm}cgroup" || exit 0
  done
  exit 1`;

/** Done where no unit of kbs's runs that would have to wait for it. */
const podRuns: Resource = {
  kind: 'task',
  name: 'kube-proxy runs in a pod',
  done: `! systemctl -q is-active kube-proxy.service || { ${podIsThere}; }`,
  run: `
kbs_deadline=$(( ${uptime} + 300 ))
while :; do
  if ( ${podIsThere} ); then exit 0; fi
  if [ "${uptime}" -ge $kbs_deadline ]; then
    echo 'no pod of the DaemonSet kube-proxy has come to this node' >&2
    exit 1
  fi
  sleep 0.3
done`,
};
