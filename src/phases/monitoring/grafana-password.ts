import { grafanaSecret, monitoring } from '../../addons/monitoring.js';
import { raw, sh } from '../../hosts/shell.js';
import { kubectl } from '../../kubernetes/kubectl.js';
import { releaseLabels } from '../../resources/release-records.js';
import type { TaskResource } from '../../resources/resource.js';

/** The name and password of Grafana's administrator, made in the cluster once: no file, value or release has them. */
export const grafanaPassword = (): TaskResource => ({
  kind: 'task',
  name: "Grafana's administrator has a password",
  check: sh`${raw(kubectl)} -n ${namespace} get secret ${grafanaSecret}`,
  run: sh`if ! ${raw(kubectl)} get namespace ${namespace} >/dev/null 2>&1; then
  printf '%s' ${JSON.stringify(namespaceObject)} | ${raw(kubectl)} create -f - >/dev/null
fi
kbs_password=$(dd if=/dev/urandom bs=24 count=1 2>/dev/null | base64 | tr '+/' '-_')
printf ${JSON.stringify(secretObject)} "$kbs_password" | ${raw(kubectl)} create -f - >/dev/null`,
  undo: sh`${raw(kubectl)} -n ${namespace} delete secret ${grafanaSecret} --ignore-not-found >/dev/null`,
});

const { namespace, name } = monitoring;

/** What has them does not keep the namespace when the release goes. */
const labels = { [releaseLabels.addon]: name };

/** As the release makes it. */
const namespaceObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };

/** A format of printf(1), which a shell runs without a process of its own. */
const secretObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: grafanaSecret, namespace, labels },
  type: 'Opaque',
  stringData: { 'admin-user': 'admin', 'admin-password': '%s' },
};
