import type { KubeObject } from '../../../src/resources/resource.js';
import { Secret } from '../../../src/secret.js';

/** What was applied to a real API server before its answer was recorded in objects.json. */
export const applied: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'kubeadm-config',
      namespace: 'kube-system',
      annotations: {
        'kbs.dev/digest': 'abc',
      },
    },
    data: {
      ClusterConfiguration: 'a: 1\nb: 2\n',
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'worker-00',
      labels: {
        'topology.kubernetes.io/zone': 'rack',
      },
    },
    spec: {
      podCIDR: '10.244.1.0/24',
      podCIDRs: ['10.244.1.0/24'],
      taints: [
        {
          key: 'node-role.kubernetes.io/control-plane',
          effect: 'NoSchedule',
        },
      ],
    },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'kbs:x',
    },
    rules: [
      {
        apiGroups: [''],
        resources: ['nodes'],
        verbs: ['get'],
      },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: {
      name: 'kbs:x',
    },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'kbs:x',
    },
    subjects: [
      {
        kind: 'Group',
        name: 'system:bootstrappers',
      },
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'tok',
      namespace: 'kube-system',
    },
    type: 'Opaque',
    stringData: {
      token: 'hunter2',
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
    },
    spec: {
      clusterIP: '10.254.0.10',
      selector: {
        'k8s-app': 'kube-dns',
      },
      ports: [
        {
          name: 'dns',
          port: 53,
          protocol: 'UDP',
        },
        {
          name: 'dns-tcp',
          port: 53,
          protocol: 'TCP',
        },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'coredns',
      namespace: 'kube-system',
    },
    spec: {
      replicas: 2,
      selector: {
        matchLabels: {
          'k8s-app': 'kube-dns',
        },
      },
      template: {
        metadata: {
          labels: {
            'k8s-app': 'kube-dns',
          },
        },
        spec: {
          hostNetwork: false,
          tolerations: [
            {
              key: 'a',
              operator: 'Exists',
            },
          ],
          containers: [
            {
              name: 'coredns',
              image: 'kbs/coredns:1.15.0',
              args: ['-conf', '/etc/coredns/Corefile'],
              env: [
                {
                  name: 'E',
                  value: '',
                },
              ],
              resources: {
                limits: {
                  memory: '1024Mi',
                  cpu: '0.5',
                },
                requests: {
                  cpu: '0.1',
                },
              },
              ports: [
                {
                  containerPort: 53,
                  protocol: 'UDP',
                  name: 'dns',
                },
                {
                  containerPort: 9153,
                  name: 'metrics',
                },
              ],
              volumeMounts: [
                {
                  name: 'c',
                  mountPath: '/etc/coredns',
                  readOnly: false,
                },
              ],
            },
          ],
          volumes: [
            {
              name: 'c',
              configMap: {
                name: 'coredns',
                items: [
                  {
                    key: 'Corefile',
                    path: 'Corefile',
                  },
                ],
              },
            },
            {
              name: 'e',
              emptyDir: {},
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bootstrap', namespace: 'kube-system' },
    type: 'Opaque',
    data: { a: new Secret(Buffer.from('hush').toString('base64')) },
    stringData: { b: new Secret('hush2') },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'kube-proxy', namespace: 'kube-system', labels: { 'k8s-app': 'kube-proxy', empty: '' } },
    spec: {
      selector: { matchLabels: { 'k8s-app': 'kube-proxy' } },
      updateStrategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels: { 'k8s-app': 'kube-proxy' }, annotations: undefined },
        spec: {
          priorityClassName: 'system-node-critical',
          hostNetwork: true,
          automountServiceAccountToken: false,
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: 'kube-proxy',
              image: 'kbs/kube-proxy:1',
              command: ['/kube-proxy'],
              securityContext: { privileged: true },
              livenessProbe: { httpGet: { path: '/healthz', port: 10256 }, timeoutSeconds: 5 },
              ports: [{ containerPort: 10256, hostPort: 0 }],
            },
          ],
          volumes: [{ name: 'a', hostPath: { path: '/run', type: '' } }],
        },
      },
    },
  },
];
