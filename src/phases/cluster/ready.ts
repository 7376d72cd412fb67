import { isApiHost } from '../../inventory/cluster.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import { apiAnswers } from '../gates.js';
import type { Gate, Phase } from '../phase.js';

/** Nothing to change, only to wait for: nodes Ready, kube-proxy on each, names that resolve. */
export const ready: Phase = {
  name: 'ready',
  ensures: 'nodes are Ready, kube-proxy and CoreDNS run',
  appliesTo: isApiHost,
  resources: () => [],
  gates: (host, { cluster, targetNodes }) => [
    apiAnswers,
    ...targetNodes.flatMap(({ name }) =>
      [nodeReady(name), ...(cluster.kubernetes.controlPlane === 'systemd' ? [] : [proxyReady(name)])].map(
        (gate): Gate => (name === host.name ? gate : { ...gate, afterHost: name }),
      ),
    ),
    // Before the first node there is no place for its pods.
    ...(targetNodes.length === 0 ? [] : [dnsReady]),
  ],
};

/** One question to the API for each round, however many nodes are waited for. */
const snapshot = `
kbs_nodes=$(${kubectl} --request-timeout=5s get nodes -o jsonpath='{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}={.status.conditions[?(@.type=="Ready")].message}{"\\n"}{end}' 2>&1) || :
kbs_pods=$(${kubectl} --request-timeout=5s -n kube-system get pods -l 'k8s-app in (kube-proxy, kube-dns)' -o jsonpath='{range .items[*]}{.metadata.labels.k8s-app}={.spec.nodeName}={.status.conditions[?(@.type=="Ready")].status}={.status.containerStatuses[*].state.waiting.reason}{"\\n"}{end}' 2>&1) || :
kbs_line() { printf '%s\\n' "$1" | grep -F -- "$2" || { printf 'not there yet\\n'; return 1; }; }`;

const nodeReady = (node: string): Gate => ({
  name: `${node} Ready`,
  prelude: snapshot,
  test: `kbs_line "$kbs_nodes" '${node}=' && printf '%s\\n' "$kbs_nodes" | grep -q '^${node}=True='`,
  timeoutSeconds: 180,
});

const proxyReady = (node: string): Gate => ({
  name: `kube-proxy on ${node}`,
  prelude: snapshot,
  test: `kbs_line "$kbs_pods" 'kube-proxy=${node}=' && printf '%s\\n' "$kbs_pods" | grep -q '^kube-proxy=${node}=True='`,
  timeoutSeconds: 180,
});

const dnsReady: Gate = {
  name: 'CoreDNS answers',
  prelude: snapshot,
  test: `kbs_line "$kbs_pods" 'kube-dns=' && printf '%s\\n' "$kbs_pods" | grep -q '^kube-dns=[^=]*=True='`,
  timeoutSeconds: 180,
};
