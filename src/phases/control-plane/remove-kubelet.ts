import { lines, raw, type Script, sh, untilTrue } from '../../hosts/shell.js';
import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import { isManaged, recordPath } from '../../resources/original.js';
import type { TaskResource } from '../../resources/resource.js';
import { networkCleanup, podCleanup, runtimeCleanup } from '../cleanup.js';
import { apiAnswers } from '../gates.js';
import type { Phase } from '../phase.js';

/**
 * A control plane of units that is no worker runs no pods. If it ran some before, this removes in order: its Node, while
 * the kubelet can still end the pods; the pods that are left; and the kubelet, the runtime and the other phases' resources.
 */
export const removeKubelet: Phase = {
  name: 'remove-kubelet',
  ensures: 'a control plane that runs no pods has no kubelet, no runtime and no Node',
  appliesTo: (host, cluster) => isControlPlane(host) && !isNode(host) && cluster.kubernetes.controlPlane === 'systemd',
  gates: () => [apiAnswers],
  resources: (host) => [nodeHasLeft(host), podsHaveEnded],
  prunes: {
    of: [
      'prepare',
      'certificates',
      'runtime',
      'control-plane-images',
      'worker-images',
      'kubelet',
      'cni',
      'node-images',
      'proxy',
    ],
  },
};

/**
 * Drains the node, stops the kubelet and deletes the Node object. A drain fails while pods of a DaemonSet that was just
 * deleted are still ending, so it is tried for a minute. If the kubelet does not run, the API would never learn that an
 * evicted pod has ended: so the pods are ended here, and then deleted from the API. The check succeeds only without the
 * kubelet's unit: as long as it is there, an API server that does not answer does not count as one without the Node.
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
${raw(podCleanup.stop)}
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
    podCleanup.stop,
    runtimeCleanup.stop,
    sh`systemctl stop containerd.service`,
    runtimeCleanup.remove,
    networkCleanup.remove,
    // CNI plugins wrote this, so kbs has no records of it.
    sh`find /var/lib/cni -xdev -mindepth 1 ! -path '*/lost+found*' -delete 2>/dev/null || :`,
    emptied('/var/lib/containerd', '/var/lib/kubelet', '/var/log/pods', '/var/log/containers'),
    sh`rmdir /etc/kubernetes/manifests 2>/dev/null || :`,
    podCleanup.remove,
  ),
};

/** Shell test: kbs has no unit of this name here. */
function isUntouched(unit: string): Script {
  return sh`! ${raw(isManaged(`/etc/systemd/system/${unit}`))}`;
}

/** Shell that empties directories that kbs made, down to what a file system of their own has. */
function emptied(...paths: readonly string[]): Script {
  return lines(
    ...paths.map(
      (path) => sh`if [ -e ${recordPath(path)}.none ]; then
  find ${path} -xdev -mindepth 1 ! -path ${`${path}/lost+found*`} -delete 2>/dev/null || :
fi`,
    ),
  );
}
