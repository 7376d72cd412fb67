import { grafanaSecret, monitoring } from '../../addons/monitoring.js';
import { raw, sh } from '../../hosts/shell.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import { releaseLabels } from '../../resources/release-records.js';
import type { TaskResource } from '../../resources/resource.js';

const { namespace, name } = monitoring;

/** The name and password of Grafana's administrator, made in the cluster once: no file, value or release has them. */
export const grafanaPassword: TaskResource = {
  kind: 'task',
  name: "Grafana's administrator has a password",
  check: sh`${raw(kubectl)} -n ${namespace} get secret ${grafanaSecret}`,
  run: sh`if ! ${raw(kubectl)} get namespace ${namespace} >/dev/null 2>&1; then
  printf '%s' ${namespaceObject()} | ${raw(kubectl)} create -f - >/dev/null
fi
kbs_password=$(dd if=/dev/urandom bs=24 count=1 2>/dev/null | base64 | tr '+/' '-_')
printf ${secretFormat()} "$kbs_password" | ${raw(kubectl)} create -f - >/dev/null`,
  undo: sh`${raw(kubectl)} -n ${namespace} delete secret ${grafanaSecret} --ignore-not-found >/dev/null`,
};

/** As the release's own, so that it goes with it. */
function namespaceObject(): string {
  const metadata = { name: namespace, labels: { [releaseLabels.addon]: name } };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata });
}

/** A format of printf(1), which a shell runs without a process of its own. */
function secretFormat(): string {
  const stringData = { 'admin-user': 'admin', 'admin-password': '%s' };
  const metadata = { name: grafanaSecret, namespace };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData });
}
