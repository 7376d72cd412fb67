import { raw, type Script, sh } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, isApiHost, isNode } from '../../inventory/cluster.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import { apiAnswers } from '../gates.js';
import type { Gate, Phase, PhaseContext } from '../phase.js';
import { proxyServes } from './proxy-answers.js';

/**
 * Nothing to change, only to wait for: nodes Ready, kube-proxy on each, names that resolve. The API server knows whether
 * the pods of kube-proxy serve; of a unit only its own node knows.
 */
export const ready: Phase = {
  name: 'ready',
  ensures: 'nodes are Ready, kube-proxy and CoreDNS run',
  appliesTo: (host, cluster) => isApiHost(host, cluster) || hasProxyUnit(host, cluster),
  resources: () => [],
  gates: (host, context) => [
    ...(isApiHost(host, context.cluster) ? ofCluster(host, context) : []),
    ...(hasProxyUnit(host, context.cluster) ? [proxyServes] : []),
  ],
};

const hasProxyUnit = (host: ClusterHost, { kubernetes }: Cluster): boolean =>
  isNode(host) && kubernetes.controlPlane === 'systemd';

const ofCluster = (host: ClusterHost, { cluster, targetNodes }: PhaseContext): readonly Gate[] => [
  apiAnswers,
  ...targetNodes.flatMap(({ name }) =>
    [nodeReady(name), ...(cluster.kubernetes.controlPlane === 'systemd' ? [] : [proxyReady(name)])].map(
      (gate): Gate => (name === host.name ? gate : { ...gate, afterHost: name }),
    ),
  ),
  // Before the first node there is no place for its pods.
  ...(targetNodes.length === 0 ? [] : [dnsReady]),
];

/** One query of the API server for each round, for all nodes. Each line is NAME=STATUS=REASON. */
const snapshot = sh`
kbs_nodes=$(${raw(kubectl)} --request-timeout=5s get nodes -o jsonpath='{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}={.status.conditions[?(@.type=="Ready")].message}{"\\n"}{end}' 2>&1) || :
kbs_pods=$(${raw(kubectl)} --request-timeout=5s -n kube-system get pods -l 'k8s-app in (kube-proxy, kube-dns)' -o jsonpath='{range .items[*]}{.metadata.labels.k8s-app}={.spec.nodeName}={.status.conditions[?(@.type=="Ready")].status}={.status.containerStatuses[*].state.waiting.reason}{"\\n"}{end}' 2>&1) || :
kbs_line() { printf '%s\\n' "$1" | grep -F -- "$2" || { printf 'not there yet\\n'; return 1; }; }`;

/** Of the kubelet alone: what systemd says of its restarts would push its reason out. */
const kubeletLog = {
  of: 'kubelet',
  script: sh`journalctl _SYSTEMD_UNIT=kubelet.service -n 6 -o cat --no-pager 2>/dev/null`,
};

/** Of the container that began last; a line begins with its time, its stream and a tag. */
const proxyLog = {
  of: 'kube-proxy',
  script: sh`kbs_log=$(ls -t /var/log/pods/kube-system_kube-proxy-*/kube-proxy/*.log 2>/dev/null | head -n 1)
if [ -n "$kbs_log" ]; then tail -n 6 "$kbs_log" | cut -d ' ' -f 4-; fi`,
};

const nodeReady = (node: string): Gate => ({
  name: `${node} Ready`,
  prelude: snapshot,
  test: isReady(sh`"$kbs_nodes"`, `${node}=`),
  timeoutSeconds: 180,
  log: kubeletLog,
});

const proxyReady = (node: string): Gate => ({
  name: `kube-proxy on ${node}`,
  prelude: snapshot,
  test: isReady(sh`"$kbs_pods"`, `kube-proxy=${node}=`),
  timeoutSeconds: 180,
  log: proxyLog,
});

const dnsReady: Gate = {
  name: 'CoreDNS answers',
  prelude: snapshot,
  test: sh`kbs_line "$kbs_pods" 'kube-dns=' && printf '%s\\n' "$kbs_pods" | grep -q '^kube-dns=[^=]*=True='`,
  timeoutSeconds: 180,
};

/** Prints the line that begins so, and succeeds if it goes on with True. */
const isReady = (printed: Script, begin: string): Script =>
  sh`kbs_line ${raw(printed)} ${begin} && printf '%s\\n' ${raw(printed)} | grep -q ${`^${begin}True=`}`;
