import { raw, sh, untilTrue } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, isApiHost, isNode, nodes } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import type { ObjectResource, Resource } from '../../resources/resource.js';
import { apiAnswers } from '../gates.js';
import type { Phase, PhaseContext } from '../phase.js';
import { proxyObjects } from './proxy-pods.js';
import { proxyUnit } from './proxy-unit.js';

/**
 * kube-proxy on every node: a pod of a DaemonSet, or a unit where the hard way was chosen. What it has written into
 * the kernel stays when it ends, so for the moments between the one and the other every Service works.
 */
export const proxy: Phase = {
  name: 'proxy',
  ensures: 'Service addresses work on every node',
  appliesTo: (host, cluster) => isNode(host) || hasDaemonSet(host, cluster),
  gates: (host, { cluster }) => (hasDaemonSet(host, cluster) ? [apiAnswers] : []),
  resources: (host, context) => [
    ...(hasDaemonSet(host, context.cluster) ? [daemonSet(host, context)] : []),
    ...(isNode(host) ? onNode(host, context) : []),
  ],
};

/** The DaemonSet goes once every node has a unit in its place. */
export const removeKubeProxyPods: Phase = {
  name: 'remove-kube-proxy-pods',
  ensures: 'no kube-proxy runs beside the unit',
  appliesTo: (host, cluster) => isApiHost(host, cluster) && cluster.kubernetes.controlPlane === 'systemd',
  gates: (host, { cluster }) => [
    apiAnswers,
    ...nodes(cluster)
      .filter((node) => node !== host)
      .map(({ name }) => ({ name: `${name} has its unit`, test: sh`:`, timeoutSeconds: 1, afterHost: name })),
  ],
  resources: (host, context) => [{ kind: 'absent', resource: daemonSet(host, context) }],
};

const hasDaemonSet = (host: ClusterHost, cluster: Cluster): boolean =>
  isApiHost(host, cluster) && cluster.kubernetes.controlPlane === 'static-pods';

const daemonSet = (host: ClusterHost, context: PhaseContext): ObjectResource => ({
  kind: 'object',
  name: 'kube-proxy',
  kubeconfig: adminConf,
  objects: proxyObjects(host, context),
});

/** The unit and its files, or that they go: last first, and only once the pod is there. */
const onNode = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const resources = proxyUnit(host, context);
  if (context.cluster.kubernetes.controlPlane === 'systemd') return resources;
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
const podIsThere = sh`for kbs_comm in $(grep -lx kube-proxy /proc/[0-9]*/comm 2>/dev/null); do
    grep -q '/kube-proxy[.]service' "\${kbs_comm%comm}cgroup" || exit 0
  done
  exit 1`;

/** Done where no unit of kbs's runs that would have to wait for it. */
const podRuns: Resource = {
  kind: 'task',
  name: 'kube-proxy runs in a pod',
  check: sh`! systemctl -q is-active kube-proxy.service || { ${raw(podIsThere)}; }`,
  run: untilTrue(sh`( ${raw(podIsThere)} )`, {
    seconds: 300,
    otherwise: sh`echo 'after 300 s no pod of the DaemonSet kube-proxy runs on this node' >&2; exit 1`,
    pause: 0.3,
  }),
};
