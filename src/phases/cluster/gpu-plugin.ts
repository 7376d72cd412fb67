import { referenceOf } from '../../artifacts/artifacts.js';
import { nvidiaLibrariesBehindLinks } from '../../hosts/facts/facts.js';
import { type Cluster, isApiHost, isNvidiaNode, type NvidiaSettings } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import type { KubeObject, Resource } from '../../resources/resource.js';
import { sha256 } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import { configMap } from '../control-plane/access.js';
import { apiAnswers } from '../gates.js';
import { pluginConfig } from '../node/gpu-labels.js';
import type { Phase, PhaseContext } from '../phase.js';

/**
 * NVIDIA's device plugin: it offers the GPUs of a node to the scheduler, and names those of a pod to containerd as CDI
 * devices. One DaemonSet for each way in which nodes share their GPUs.
 */
export const gpuPlugin: Phase = {
  name: 'gpu-plugin',
  ensures: 'pods can ask for GPUs',
  appliesTo: (host, cluster) => isApiHost(host, cluster) && cluster.hosts.some(isNvidiaNode),
  gates: () => [apiAnswers],
  resources: (_host, context) => [
    { kind: 'object', name: 'nvidia-runtime-class', kubeconfig: adminConf, objects: [runtimeClass] },
    // A set each: only whole sets are pruned.
    ...[...configsOf(context.cluster)].map(([config, settings]): Resource => {
      const name = config === 'exclusive' ? 'nvidia-device-plugin' : `nvidia-device-plugin-${config}`;
      const file = configurationFile(settings);
      return {
        kind: 'object',
        name,
        kubeconfig: adminConf,
        objects: [
          configMap('kube-system', name, { 'config.yaml': file }),
          daemonSet(name, { config, ...settings, inputs: sha256(file).slice(0, 16) }, context),
        ],
      };
    }),
  ],
};

/** The configurations that nodes want, by their names, in the order of the inventory. */
const configsOf = ({ hosts }: Cluster): ReadonlyMap<string, Partial<NvidiaSettings>> =>
  new Map(hosts.filter(isNvidiaNode).map(({ nvidia = {} }) => [pluginConfig(nvidia), nvidia]));

/** A pod that asks for several turns of one GPU gets no more of it: it is refused. */
const configurationFile = ({ timeSlicing }: Partial<NvidiaSettings>): string =>
  toYaml({
    version: 'v1',
    ...(timeSlicing === undefined
      ? {}
      : {
          sharing: {
            timeSlicing: {
              failRequestsGreaterThanOne: true,
              resources: [{ name: 'nvidia.com/gpu', replicas: timeSlicing }],
            },
          },
        }),
  });

/** Charts set runtimeClassName nvidia. Its handler is runc, for the GPU comes by CDI, and only on these nodes. */
const runtimeClass: KubeObject = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'nvidia' },
  handler: 'nvidia',
  scheduling: { nodeSelector: { 'nvidia.com/gpu.present': 'true' } },
};

/** The driver's libraries: where a default folder has only links, they lead out of /driver-root. */
const libraryPath = nvidiaLibrariesBehindLinks.map((folder) => `/driver-root${folder}`).join(':');

/** As NVIDIA's chart has it, but for the image; it is privileged to reach the device files, which no runtime hands to it. */
const daemonSet = (
  name: string,
  { config, mig = 'none', inputs }: Partial<NvidiaSettings> & { readonly config: string; readonly inputs: string },
  { artifacts }: PhaseContext,
) => {
  const labels = { 'k8s-app': 'nvidia-device-plugin', 'nvidia.com/device-plugin.config': config };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system', labels },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels, annotations: { 'kbs.dev/inputs': inputs } },
        spec: {
          priorityClassName: 'system-node-critical',
          automountServiceAccountToken: false,
          tolerations: [{ operator: 'Exists' }],
          nodeSelector: { 'nvidia.com/gpu.present': 'true', 'nvidia.com/device-plugin.config': config },
          containers: [
            {
              name: 'nvidia-device-plugin',
              image: referenceOf(artifacts, 'nvidia-device-plugin'),
              imagePullPolicy: 'IfNotPresent',
              command: ['nvidia-device-plugin'],
              env: [
                { name: 'CONFIG_FILE', value: '/config/config.yaml' },
                { name: 'DEVICE_LIST_STRATEGY', value: 'cdi-cri' },
                { name: 'MIG_STRATEGY', value: mig },
                { name: 'NVIDIA_DRIVER_ROOT', value: '/' },
                { name: 'NVIDIA_CDI_HOOK_PATH', value: '/usr/local/bin/nvidia-cdi-hook' },
                { name: 'LD_LIBRARY_PATH', value: libraryPath },
              ],
              securityContext: { privileged: true },
              volumeMounts: [
                { name: 'device-plugins', mountPath: '/var/lib/kubelet/device-plugins' },
                { name: 'driver-root', mountPath: '/driver-root', readOnly: true },
                { name: 'cdi', mountPath: '/var/run/cdi' },
                { name: 'config', mountPath: '/config', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'device-plugins', hostPath: { path: '/var/lib/kubelet/device-plugins', type: 'Directory' } },
            { name: 'driver-root', hostPath: { path: '/', type: 'Directory' } },
            { name: 'cdi', hostPath: { path: '/var/run/cdi', type: 'DirectoryOrCreate' } },
            { name: 'config', configMap: { name } },
          ],
        },
      },
    },
  } satisfies KubeObject;
};
