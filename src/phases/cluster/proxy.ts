import { raw, sh, untilTrue } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, isApiHost, isNode } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import type { ObjectResource, Resource } from '../../resources/resource.js';
import { apiAnswers } from '../gates.js';
import type { Phase, PhaseContext } from '../phase.js';
import { modeInForce } from './proxy-answers.js';
import { proxyObjects } from './proxy-pods.js';
import { proxyUnit } from './proxy-unit.js';

/**
 * kube-proxy on every node: a pod of a DaemonSet, or a unit in the style `systemd`. What it has written into
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
  prunes: { of: ['proxy'] },
};

const hasDaemonSet = (host: ClusterHost, cluster: Cluster): boolean =>
  isApiHost(host, cluster) && cluster.kubernetes.controlPlane === 'static-pods';

const daemonSet = (host: ClusterHost, context: PhaseContext): ObjectResource => ({
  kind: 'object',
  name: 'kube-proxy',
  kubeconfig: adminConf,
  objects: proxyObjects(host, context),
});

/** The unit and its files; or that the pod is there, before a former unit and its files are pruned. */
const onNode = (host: ClusterHost, context: PhaseContext): readonly Resource[] => [
  ...(context.cluster.kubernetes.controlPlane === 'systemd' ? proxyUnit(host, context) : [podRuns]),
  ...(context.cluster.kubernetes.proxy === 'ipvs' ? [] : [ipvsLeft]),
];

/** Shell: exits with 0 where a kube-proxy runs that is not the unit's. */
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

/**
 * With ipvs every Service address is one of this host. A kube-proxy of mode nftables removes them, one of mode iptables
 * does not. What stays in the table of ipvs is used by no packet then.
 */
const ipvsLeft: Resource = {
  kind: 'task',
  name: 'no Service address of mode ipvs',
  check: sh`! ip link show dev kube-ipvs0 >/dev/null 2>&1`,
  run: sh`${raw(
    untilTrue(sh`case $(${raw(modeInForce)}) in '' | ipvs) false ;; esac`, {
      seconds: 300,
      otherwise: sh`echo 'after 300 s kube-proxy still works in mode ipvs on this node' >&2; exit 1`,
      pause: 0.3,
    }),
  )}
ip link delete dev kube-ipvs0 2>/dev/null || ! ip link show dev kube-ipvs0 >/dev/null 2>&1`,
};
