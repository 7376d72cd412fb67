import { lines, raw, type Script, sh, untilTrue } from '../../hosts/shell.js';
import { type ClusterHost, isControlPlane, isNode, isRouter } from '../../inventory/cluster.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import type { Credentials } from '../../pki/credentials.js';
import { isManaged } from '../../resources/original.js';
import { nameOf } from '../../resources/registry.js';
import type { AbsentResource, Resource, TaskResource } from '../../resources/resource.js';
import { Secret } from '../../secret.js';
import { podNetwork, pods, runtimeState } from '../cleanup.js';
import { apiAnswers } from '../gates.js';
import { certificates } from '../node/certificates.js';
import { cni } from '../node/cni.js';
import { kubelet } from '../node/kubelet.js';
import { prepare } from '../node/prepare.js';
import { runtime } from '../node/runtime.js';
import type { Phase, PhaseContext } from '../phase.js';

/**
 * A control plane of units that is no worker runs no pods. What was put there while it did leaves in good order: its
 * Node while the kubelet can still end its pods, then the pods that are left, then what ran them, last first.
 */
export const removeKubelet: Phase = {
  name: 'remove-kubelet',
  ensures: 'a control plane that runs no pods has no kubelet, no runtime and no Node',
  appliesTo: (host, cluster) => isControlPlane(host) && !isNode(host) && cluster.kubernetes.controlPlane === 'systemd',
  gates: () => [apiAnswers],
  resources: (host, context) => [
    nodeHasLeft(host),
    podsHaveEnded,
    ...ofNodes(host, context).map((resource): Resource => ({ kind: 'absent', resource })),
  ],
};

/**
 * The pods of a DaemonSet that was just deleted end a moment later, and until then a drain refuses them.
 * While a kubelet of kbs's is there, an API server that does not answer proves nothing. Where the kubelet has stopped,
 * nobody would ever tell the API that an evicted pod has ended: they end here, and then the API forgets them.
 */
const nodeHasLeft = ({ name }: ClusterHost): TaskResource => ({
  kind: 'task',
  name: `node ${name} has left`,
  check: sh`${raw(isUntouched('kubelet.service'))} && [ -z "$(${raw(kubectl)} --request-timeout=10s get node ${name} --ignore-not-found -o name)" ]`,
  run: sh`
kbs_node=$(${raw(kubectl)} get node ${name} --ignore-not-found -o name)
if [ -n "$kbs_node" ]; then
  if systemctl -q is-active kubelet.service; then
${raw(
  untilTrue(
    sh`kbs_said=$(${raw(kubectl)} drain ${name} --ignore-daemonsets --delete-emptydir-data --timeout=180s 2>&1)`,
    { seconds: 60, otherwise: sh`printf '%s\\n' "$kbs_said" >&2; exit 1`, pause: 1 },
  ),
)}
    systemctl stop kubelet.service
  else
    ${raw(kubectl)} cordon ${name} >&2
${raw(pods.stop)}
    ${raw(kubectl)} delete pods -A --field-selector ${`spec.nodeName=${name}`} --force --grace-period=0 --wait=false >&2
  fi
  ${raw(kubectl)} delete node ${name} --ignore-not-found >&2
fi`,
});

const podsHaveEnded: TaskResource = {
  kind: 'task',
  name: 'pods have ended',
  check: isUntouched('containerd.service'),
  run: lines(
    pods.stop,
    sh`systemctl stop containerd.service`,
    runtimeState.remove,
    podNetwork.remove,
    // Nothing of this was put there by kbs itself, so nothing else would take it away.
    sh`find /var/lib/containerd /var/lib/cni -xdev -mindepth 1 ! -path '*/lost+found*' -delete 2>/dev/null || :`,
    sh`rmdir /etc/kubernetes/manifests 2>/dev/null || :`,
    pods.remove,
  ),
};

/** Shell test: kbs has no unit of this name here. */
function isUntouched(unit: string): Script {
  return sh`! ${raw(isManaged(`/etc/systemd/system/${unit}`))}`;
}

/** What this host would have besides if it were a node, last made first. */
const ofNodes = (host: ClusterHost, context: PhaseContext): readonly Exclude<Resource, AbsentResource>[] => {
  const kept = new Set([prepare, certificates].flatMap((phase) => phase.resources(host, context)).map(nameOf));
  const asNode = { ...host, podCidr: '' };
  return [prepare, certificates, runtime, kubelet, cni]
    .flatMap((phase) => phase.resources(asNode, { ...context, credentials: namesAlone }))
    .filter((resource) => resource.kind !== 'absent')
    .filter((resource) => !kept.has(nameOf(resource)) && !(resource.kind === 'sysctl' && isRouter(host)))
    .toReversed();
};

/**
 * What is taken away is known by its name: this host has no credentials of a kubelet any more. They are secrets even so:
 * of what lies on the host, a look then brings back no more than a digest.
 */
const namesAlone: Credentials = {
  files: () =>
    ['crt', 'key'].map((part) => ({ path: `/var/lib/kubelet/pki/kubelet.${part}`, content: new Secret('') })),
  kubeconfig: () => new Secret(''),
  clusterCa: '',
  encryptionKey: new Secret(''),
};
