import { referenceOf } from '../../artifacts/artifacts.js';
import { type ClusterHost, proxyPorts } from '../../inventory/cluster.js';
import type { KubeObject } from '../../resources/resource.js';
import { sha256 } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import { configMap } from '../control-plane/access.js';
import type { PhaseContext } from '../phase.js';
import { livenessPath } from './proxy-answers.js';
import { proxyConfiguration } from './proxy-configuration.js';

/** kube-proxy as a DaemonSet, with its account, rights and configuration. */
export const proxyObjects = (host: ClusterHost, context: PhaseContext): readonly KubeObject[] => {
  const data = {
    'config.conf': toYaml(proxyConfiguration(host, context, '/var/lib/kube-proxy/kubeconfig.conf')),
    'kubeconfig.conf': toYaml(kubeconfig(context)),
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'kube-proxy', namespace: 'kube-system' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kubeadm:node-proxier' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
      subjects: [{ kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' }],
    },
    configMap('kube-system', 'kube-proxy', data),
    daemonSet(referenceOf(context.artifacts, 'kube-proxy'), sha256(JSON.stringify(data)).slice(0, 16)),
  ];
};

const kubeconfig = ({ cluster }: PhaseContext) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'default',
      cluster: {
        'certificate-authority': '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
        server: `https://${cluster.endpoint.host}:${cluster.endpoint.port}`,
      },
    },
  ],
  contexts: [{ name: 'default', context: { cluster: 'default', namespace: 'default', user: 'default' } }],
  'current-context': 'default',
  users: [{ name: 'default', user: { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' } }],
});

const daemonSet = (image: string, inputs: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'kube-proxy', namespace: 'kube-system', labels: { 'k8s-app': 'kube-proxy' } },
  spec: {
    selector: { matchLabels: { 'k8s-app': 'kube-proxy' } },
    updateStrategy: { type: 'RollingUpdate' },
    template: {
      metadata: { labels: { 'k8s-app': 'kube-proxy' }, annotations: { 'kbs.dev/inputs': inputs } },
      spec: {
        priorityClassName: 'system-node-critical',
        hostNetwork: true,
        serviceAccountName: 'kube-proxy',
        tolerations: [{ operator: 'Exists' }],
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        containers: [
          {
            name: 'kube-proxy',
            image,
            imagePullPolicy: 'IfNotPresent',
            command: ['kube-proxy', '--config=/var/lib/kube-proxy/config.conf', '--hostname-override=$(NODE_NAME)'],
            env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
            // Ready means: Services work on this node.
            startupProbe: {
              httpGet: { host: '127.0.0.1', port: proxyPorts.health, path: livenessPath },
              periodSeconds: 1,
              failureThreshold: 600,
            },
            securityContext: { privileged: true },
            volumeMounts: [
              { name: 'config', mountPath: '/var/lib/kube-proxy' },
              { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
              { name: 'modules', mountPath: '/lib/modules', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'config', configMap: { name: 'kube-proxy' } },
          { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
          { name: 'modules', hostPath: { path: '/lib/modules', type: 'DirectoryOrCreate' } },
        ],
      },
    },
  },
});
