import { referenceOf } from '../../artifacts/artifacts.js';
import { isAddress } from '../../inventory/addresses.js';
import { type Cluster, type ClusterNetwork, dnsServers, isApiHost, nodes } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import { taint } from '../../resources/node-object.js';
import type { KubeObject } from '../../resources/resource.js';
import { configMap } from '../control-plane/access.js';
import { apiAnswers } from '../gates.js';
import type { Phase, PhaseContext } from '../phase.js';

/** CoreDNS: names of Services become addresses. */
export const dns: Phase = {
  name: 'dns',
  ensures: 'Service names resolve in pods',
  appliesTo: isApiHost,
  gates: () => [apiAnswers],
  resources: (host, context) => [
    {
      kind: 'object',
      name: 'coredns',
      kubeconfig: adminConf,
      objects: [
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace: 'kube-system' } },
        ...roles,
        configMap('kube-system', 'coredns', { Corefile: corefile(context, host.name) }),
        service(context.cluster.network),
        deployment(referenceOf(context.artifacts, 'coredns'), replicasOf(context.cluster)),
      ],
    },
  ],
};

/** A node whose taints keep CoreDNS away, such as a GPU node's, does not count: a replica for it would stay pending. */
const replicasOf = (cluster: Cluster): number =>
  Math.max(1, Math.min(2, nodes(cluster).filter(({ taints }) => taints.every(isTolerated)).length));

const isTolerated = (text: string): boolean => {
  const { key, effect } = taint(text);
  return (
    effect === 'PreferNoSchedule' ||
    tolerations.some((each) => each.key === key && (each.effect === undefined || each.effect === effect))
  );
};

const tolerations: readonly { readonly key: string; readonly operator?: 'Exists'; readonly effect?: string }[] = [
  { key: 'CriticalAddonsOnly', operator: 'Exists' },
  { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
];

/**
 * Forwards to resolvers that a pod can ask only: a loopback one would send every question back, and the loop plugin would
 * end the server. Where a host has no resolver at all, nothing is forwarded; preflight refuses one with others alone.
 */
const corefile = ({ cluster, facts }: PhaseContext, controlPlane: string): string => {
  const upstreams =
    cluster.upstreams.length > 0 ? cluster.upstreams : facts(controlPlane).nameservers.filter(isAddress);
  const forward =
    upstreams.length === 0 ? [] : [`    forward . ${upstreams.join(' ')} {`, '       max_concurrent 1000', '    }'];
  return `${[
    '.:53 {',
    '    errors',
    '    health {',
    '       lameduck 5s',
    '    }',
    '    ready',
    `    kubernetes ${cluster.domain} in-addr.arpa ip6.arpa {`,
    '       pods insecure',
    '       fallthrough in-addr.arpa ip6.arpa',
    '       ttl 30',
    '    }',
    '    prometheus :9153',
    ...forward,
    '    cache 30',
    '    loop',
    '    reload',
    '    loadbalance',
    '}',
    ...lan(cluster),
  ].join('\n')}\n`;
};

/** Names of the LAN are asked of its own servers. A zone that holds the domain of Services would hide them. */
const lan = (cluster: Cluster): readonly string[] => {
  const { zone, domain } = cluster;
  const servers = dnsServers(cluster).map(({ address }) => address);
  if (zone === undefined || servers.length === 0 || domain === zone || domain.endsWith(`.${zone}`)) return [];
  return [`${zone}:53 {`, '    errors', '    cache 30', `    forward . ${servers.join(' ')}`, '}'];
};

const roles: readonly KubeObject[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'system:coredns' },
    rules: [
      { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:coredns' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
    subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
  },
];

const service = ({ dnsServiceAddress, ipv6 }: ClusterNetwork): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
  },
  spec: {
    clusterIP: dnsServiceAddress,
    ...(ipv6 === undefined
      ? {}
      : { ipFamilyPolicy: 'PreferDualStack', clusterIPs: [dnsServiceAddress, ipv6.dnsServiceAddress] }),
    selector: { 'k8s-app': 'kube-dns' },
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
    ],
  },
});

/** Never two replicas on one node: with one of two nodes gone, names still resolve. */
const deployment = (image: string, replicas: number): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'coredns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  spec: {
    replicas,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    selector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    template: {
      metadata: { labels: { 'k8s-app': 'kube-dns' } },
      spec: {
        priorityClassName: 'system-cluster-critical',
        serviceAccountName: 'coredns',
        dnsPolicy: 'Default',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations,
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { labelSelector: { matchLabels: { 'k8s-app': 'kube-dns' } }, topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
        containers: [
          {
            name: 'coredns',
            image,
            imagePullPolicy: 'IfNotPresent',
            args: ['-conf', '/etc/coredns/Corefile'],
            resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
            ports: [
              { name: 'dns', containerPort: 53, protocol: 'UDP' },
              { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
              { name: 'metrics', containerPort: 9153, protocol: 'TCP' },
            ],
            livenessProbe: {
              httpGet: { path: '/health', port: 8080, scheme: 'HTTP' },
              initialDelaySeconds: 60,
              timeoutSeconds: 5,
              failureThreshold: 5,
            },
            readinessProbe: { httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' }, periodSeconds: 1 },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
          },
        ],
        volumes: [{ name: 'config', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
      },
    },
  },
});
