import { type Script, sh } from '../../hosts/shell.js';
import type { FileResource } from '../../resources/resource.js';
import { sha256 } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import { fingerprint } from '../fingerprint.js';
import type { Component, PodSettings } from './component-type.js';
import { type Flags, toArguments } from './flags.js';

/**
 * A static pod's manifest. The digest in its environment restarts it when a file that it reads has changed, and lets
 * its process testify what it was started with: a manifest is on the disk some time before the kubelet has obeyed it.
 */
export const staticPodManifest = ({ name, flags, inputs, pod }: Component): FileResource => ({
  kind: 'file',
  path: `/etc/kubernetes/manifests/${name}.yaml`,
  mode: '0600',
  content: toYaml({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'kube-system',
      labels: { component: name, tier: 'control-plane' },
      ...(pod.annotations === undefined ? {} : { annotations: pod.annotations }),
    },
    spec: {
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name,
          image: pod.image,
          imagePullPolicy: 'IfNotPresent',
          command: [name, ...toArguments(flags)],
          env: [{ name: 'KBS_DIGEST', value: digestOf(name, flags, inputs, pod) }],
          resources: { requests: { cpu: pod.cpu } },
          ...pod.probes,
          volumeMounts: pod.mounts.map(({ name: mount, path, writable }) => ({
            name: mount,
            mountPath: path,
            ...(writable ? {} : { readOnly: true }),
          })),
        },
      ],
      volumes: pod.mounts.map(({ name: mount, path, type }) => ({ name: mount, hostPath: { path, type } })),
    },
  }),
});

const digestOf = (name: string, flags: Flags, inputs: readonly FileResource[], { image }: PodSettings): string =>
  `${digestMark}${sha256(JSON.stringify([name, image, flags, fingerprint(inputs)])).slice(0, 16)}`;

/** Begins a digest, so that a shell finds it in a manifest. */
const digestMark = 'kbs-';

/** A shell test: the process of a static pod was started as its manifest says, or has no manifest of kbs's. */
export const startedAsWritten = (name: string): Script => sh`
kbs_want=$(grep -o ${`${digestMark}[0-9a-f]\\{16\\}`} /etc/kubernetes/manifests/${name}.yaml 2>/dev/null) || exit 0
for kbs_process in /proc/[0-9]*; do
  if [ "$(cat $kbs_process/comm 2>/dev/null)" = ${name} ] &&
    grep -qzxF "KBS_DIGEST=$kbs_want" $kbs_process/environ 2>/dev/null; then exit 0; fi
done
echo ${`${name} does not run as its manifest says yet`}
exit 1`;

/** kubeadm's three probes, with its patience of four minutes at the start, asked more often. */
export const probes = (
  scheme: 'HTTP' | 'HTTPS',
  host: string,
  port: number,
  paths: { live: string; ready: string },
): PodSettings['probes'] => {
  const get = (path: string) => ({ httpGet: { scheme, host, port, path } });
  return {
    startupProbe: { ...get(paths.live), failureThreshold: 120, periodSeconds: 2, timeoutSeconds: 15 },
    livenessProbe: { ...get(paths.live), failureThreshold: 8, periodSeconds: 10, timeoutSeconds: 15 },
    readinessProbe: { ...get(paths.ready), failureThreshold: 3, periodSeconds: 1, timeoutSeconds: 15 },
  };
};
