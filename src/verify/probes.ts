import { defined } from '../defined.js';
import { familyOf } from '../inventory/addresses.js';
import { type Cluster, type ClusterHost, nodes } from '../inventory/cluster.js';
import type { KubeObject } from '../resources/resource.js';
import type { CheckResult } from './check-result.js';

/** The network that a probe runs in: a pod's, with an address of its own, or the host's. */
export type ProbeNetwork = 'pod' | 'host';

/** A running probe. */
export interface Probe {
  readonly network: ProbeNetwork;
  readonly pod: string;
  readonly node: ClusterHost;
  readonly address: string;
  /** In a cluster of both families. */
  readonly ipv6?: string;
}

/** HTTP port; UDP is the next one. */
export const portOf: Readonly<Record<ProbeNetwork, number>> = { pod: 8080, host: 18080 };

/** One probe pod and one probe in the host's network on every node, and a Service in front of the pods, of all families. */
export const probeObjects = (namespace: string, image: string, { network }: Cluster): readonly KubeObject[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'kbs.dev/verify': '' } } },
  daemonSet(namespace, 'pod', image),
  daemonSet(namespace, 'host', image),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'probe', namespace },
    spec: {
      selector: { 'kbs.dev/probe': 'pod' },
      ports: [{ port: 80, targetPort: portOf.pod }],
      ...(network.ipv6 === undefined ? {} : { ipFamilyPolicy: 'RequireDualStack' }),
    },
  },
];

/**
 * The probes that are ready, from `kubectl get pods -o json`. Pods on nodes that the inventory does not know are left
 * out.
 */
export const readProbes = (json: string, cluster: Cluster): readonly Probe[] =>
  podsIn(json).flatMap((item) => {
    const node = nodes(cluster).find((host) => host.name === item.spec.nodeName);
    if (!node || !item.status.podIP || !isReady(item)) return [];
    const ipv6 = ipv6Of(item);
    return [
      { network: networkOf(item), pod: item.metadata.name, node, address: item.status.podIP, ...defined({ ipv6 }) },
    ];
  });

/** For each node, from the same JSON, whether both of its probes are ready, and if not, what holds them up. */
export const probeResults = (json: string, cluster: Cluster, ms: number): readonly CheckResult[] => {
  const pods = podsIn(json);
  return nodes(cluster).map(({ name }) => {
    const missing = networks.flatMap((network) => {
      const pod = pods.find((item) => item.spec.nodeName === name && networkOf(item) === network);
      if (pod === undefined || !isReady(pod)) return [`${places[network]}: ${stateOf(pod)}`];
      const lacks = cluster.network.ipv6 !== undefined && ipv6Of(pod) === undefined;
      return lacks ? [`${places[network]}: no IPv6 address`] : [];
    });
    return { proof: 'probes', name, ok: missing.length === 0, detail: missing.join('; ') || 'ready', ms };
  });
};

const networks = ['pod', 'host'] as const;
const places: Readonly<Record<ProbeNetwork, string>> = { pod: 'in a pod', host: "in the host's network" };

/** What a pod is at, with the reason that the kubelet gives. */
export const stateOf = (pod: PodItem | undefined): string => {
  if (!pod) return 'not started';
  const { waiting, terminated } = pod.status.containerStatuses?.[0]?.state ?? {};
  const { reason, message } = waiting ?? terminated ?? {};
  return [pod.status.phase ?? 'Unknown', reason, message].filter(Boolean).join(', ');
};

const ipv6Of = ({ status }: PodItem): string | undefined =>
  status.podIPs?.map(({ ip }) => ip).find((ip) => familyOf(ip) === 'ipv6');

const networkOf = ({ metadata }: PodItem): ProbeNetwork =>
  metadata.labels['kbs.dev/probe'] === 'host' ? 'host' : 'pod';

const isReady = ({ status }: PodItem): boolean =>
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** The pods in what `kubectl get pods -o json` printed. */
export const podsIn = (json: string): readonly PodItem[] => (JSON.parse(json) as { items: readonly PodItem[] }).items;

/** The part of a Pod that is read here. */
export interface PodItem {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: Reason; readonly terminated?: Reason };
    }[];
  };
}

interface Reason {
  readonly reason?: string;
  readonly message?: string;
}

const daemonSet = (namespace: string, network: ProbeNetwork, image: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: `probe-${network}`, namespace },
  spec: {
    selector: { matchLabels: { 'kbs.dev/probe': network } },
    template: {
      metadata: { labels: { 'kbs.dev/probe': network } },
      spec: {
        hostNetwork: network === 'host',
        terminationGracePeriodSeconds: 0,
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'probe',
            image,
            imagePullPolicy: 'IfNotPresent',
            args: [`${portOf[network]}`],
            readinessProbe: { httpGet: { path: '/whoami', port: portOf[network] }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});
