import type { z } from 'zod';
import { defined } from '../../defined.js';
import { isAddress } from '../addresses.js';
import { shortList } from '../did-you-mean.js';
import { anyMap, flag, isBlank, listOf, mapOf, otherKeys, port, readShape, word } from './shape.js';
import {
  decide,
  leftOut,
  note,
  type Remark,
  type ToolCluster,
  type ToolEndpoint,
  type ToolHost,
} from './tool-cluster.js';
import type { YamlInput } from './yaml-input.js';

/**
 * A k0sctl.yaml: https://github.com/k0sproject/k0sctl/blob/main/docs/configuration.md. The settings of k0s are in it, or
 * in a second document: https://docs.k0sproject.io/stable/configuration/.
 */
export const readK0sctl = (documents: readonly YamlInput[]): ToolCluster => {
  const isSettings = ({ value }: YamlInput) => kindOf(value) === 'ClusterConfig';
  const main = documents.find((input) => kindOf(input.value) === 'Cluster') ?? documents[0];
  const second = documents.find(isSettings);
  const { metadata, spec } = readShape(clusterShape, main ?? { value: undefined, at: () => '' });
  const settings = second === undefined ? spec.k0s?.config : readShape(settingsShape, second);
  const { network = {}, ...k0s } = settings?.spec ?? {};
  const version = spec.k0s?.version?.replace(/^v/, '').replace(/[-+]k0s.*$/, '');
  const profile = k0s.workerProfiles?.find(({ name }) => name === 'default');
  return {
    tool: 'k0sctl',
    name: metadata?.name ?? 'k0s-cluster',
    pods: network.podCIDR ?? '10.244.0.0/16',
    services: network.serviceCIDR ?? '10.96.0.0/12',
    domain: network.clusterDomain ?? 'cluster.local',
    ...defined({
      version,
      proxy: network.kubeProxy?.mode,
      kubelet: profile?.values,
      endpoint: endpointOf(settings?.spec ?? {}),
    }),
    hosts: spec.hosts.flatMap((host) => hostOf(host) ?? []),
    remarks: [
      ...spec.hosts.flatMap(({ winRM }) =>
        winRM === undefined
          ? []
          : [leftOut(['hosts'], `${winRM.address}: a Windows host, and kbs has hosts of Linux alone`)],
      ),
      ...remarksOn(settings?.spec ?? {}),
    ],
  };
};

const kindOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;

/** Whether a document is a cluster of k0sctl. */
export const isK0sctl = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'apiVersion' in value &&
  String(value.apiVersion).startsWith('k0sctl.k0sproject.io/');

const bastion = mapOf({ address: word, user: word.optional(), port: port.optional(), keyPath: word.optional() });

const host = mapOf({
  role: word,
  hostname: word.optional(),
  privateAddress: word.optional(),
  noTaints: flag.optional(),
  installFlags: listOf(word).optional(),
  ssh: bastion.extend({ bastion: bastion.optional() }).optional(),
  openSSH: bastion.extend({ configPath: word.optional(), options: anyMap.optional() }).optional(),
  localhost: mapOf({ enabled: flag.optional() }).optional(),
  winRM: mapOf({ address: word }).optional(),
});

const settingsShape = mapOf({
  spec: mapOf({
    api: mapOf({
      externalAddress: word.optional(),
      port: port.optional(),
      sans: listOf(word).optional(),
      extraArgs: anyMap.optional(),
    }).optional(),
    network: mapOf({
      provider: word.optional(),
      podCIDR: word.optional(),
      serviceCIDR: word.optional(),
      clusterDomain: word.optional(),
      dualStack: mapOf({ enabled: flag.optional() }).optional(),
      kubeProxy: mapOf({ mode: word.optional(), disabled: flag.optional() }).optional(),
      nodeLocalLoadBalancing: mapOf({ enabled: flag.optional() }).optional(),
      controlPlaneLoadBalancing: mapOf({
        enabled: flag.optional(),
        keepalived: mapOf({
          vrrpInstances: listOf(mapOf({ virtualIPs: listOf(word).optional() })).optional(),
        }).optional(),
      }).optional(),
    }).optional(),
    controllerManager: mapOf({ extraArgs: anyMap.optional() }).optional(),
    scheduler: mapOf({ extraArgs: anyMap.optional() }).optional(),
    storage: mapOf({
      type: word.optional(),
      etcd: mapOf({ extraArgs: anyMap.optional(), externalCluster: anyMap.optional() }).optional(),
    }).optional(),
    extensions: mapOf({ helm: mapOf({ charts: listOf(mapOf({ name: word })).optional() }).optional() }).optional(),
    workerProfiles: listOf(mapOf({ name: word, values: anyMap.optional() })).optional(),
  }).optional(),
});

type Settings = NonNullable<z.output<typeof settingsShape>['spec']>;

const clusterShape = mapOf({
  metadata: mapOf({ name: word.optional() }).optional(),
  spec: mapOf({
    hosts: listOf(host),
    k0s: mapOf({ version: word.optional(), config: settingsShape.optional() }).optional(),
  }),
});

/** Undefined for a host that kbs cannot have. */
const hostOf = (written: z.output<typeof host>): ToolHost | undefined => {
  const { role, hostname, privateAddress, winRM, installFlags = [] } = written;
  if (winRM !== undefined) return undefined;
  const ssh = written.ssh ?? written.openSSH;
  const isLocal = ssh === undefined && written.localhost !== undefined;
  const jump = written.ssh?.bastion;
  const runsPods = role !== 'controller' || installFlags.includes('--enable-worker');
  return {
    ...defined({
      name: hostname ?? firstLabel(ssh?.address),
      address: privateAddress ?? ssh?.address,
      login: ssh?.address,
    }),
    roles: [
      ...(isKnown(role) && role !== 'worker' ? ['control-plane' as const] : []),
      ...(isKnown(role) && runsPods ? ['worker' as const] : []),
    ],
    ...marksOf(installFlags),
    ssh: isLocal
      ? { transport: 'local' }
      : defined({
          user: ssh === undefined ? undefined : (ssh.user ?? (written.ssh === undefined ? undefined : 'root')),
          port: ssh?.port,
          key: ssh?.keyPath,
          jump:
            jump === undefined
              ? undefined
              : defined({ host: jump.address, user: jump.user ?? 'root', port: jump.port, key: jump.keyPath }),
        }),
    remarks: remarksOnHost(written),
  };
};

const isKnown = (role: string): boolean => ['controller', 'controller+worker', 'single', 'worker'].includes(role);

/** The first label of a DNS name: what such a machine is most often called. */
const firstLabel = (address: string | undefined): string | undefined =>
  address === undefined || isAddress(address) || address.includes(':') ? undefined : address.split('.')[0];

/** Labels and taints of `--labels=a=b,c=d` and `--taints=a=b:NoSchedule`. */
const marksOf = (flags: readonly string[]): Pick<ToolHost, 'labels' | 'taints'> => {
  const valuesOf = (name: string): readonly string[] =>
    flags.flatMap((text) => {
      const [, value = ''] = new RegExp(`^--${name}[= ](.*)$`).exec(text) ?? [];
      return value
        .replace(/^(["'])(.*)\1$/, '$2')
        .split(',')
        .filter((part) => part !== '');
    });
  const labels = valuesOf('labels').map((label) => [label.split('=')[0] ?? '', label.split('=')[1] ?? ''] as const);
  const taints = valuesOf('taints');
  return {
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels) } : {}),
    ...(taints.length > 0 ? { taints } : {}),
  };
};

const readFlags = /^--(labels|taints)[= ]|^--(enable-worker|no-taints|debug)$/;

const remarksOnHost = (written: z.output<typeof host>): readonly Remark[] => {
  const { role, noTaints, installFlags = [], openSSH } = written;
  const tainted = role === 'controller+worker' && noTaints !== true && !installFlags.includes('--no-taints');
  const unread = installFlags.filter((text) => !readFlags.test(text));
  const others = otherKeys(written, hostKeys);
  return [
    ...(isKnown(role)
      ? []
      : [decide(['roles'], `${role} is no role of k0sctl that kbs knows; what the host does is for you to say`)]),
    ...(tainted
      ? [note(['roles'], 'k0s keeps ordinary pods off this host by a taint, and kbs where it has no role worker')]
      : []),
    ...(unread.length > 0
      ? [leftOut([], `installFlags ${unread.join(' ')}: flags of k0s; kubelet settings go under kubelet here`)]
      : []),
    ...(openSSH !== undefined && otherKeys(openSSH, ['address', 'user', 'port', 'keyPath']).length > 0
      ? [leftOut(['ssh'], 'options of openSSH: kbs reads ~/.ssh/config, where they can stand')]
      : []),
    ...(others.length > 0 ? [leftOut([], `${shortList(others)}: kbs has no counterpart`)] : []),
  ];
};

const hostKeys = [
  ...['role', 'hostname', 'privateAddress', 'noTaints', 'installFlags', 'ssh', 'openSSH', 'localhost', 'winRM'],
  // How k0sctl brings its own program there.
  ...['uploadBinary', 'k0sBinaryPath', 'k0sInstallPath', 'k0sDownloadURL', 'useExistingK0s', 'privateInterface', 'os'],
];

const endpointOf = ({ api = {}, network }: Settings): ToolEndpoint | undefined => {
  const balancing = network?.controlPlaneLoadBalancing;
  const [vip] =
    (balancing?.enabled === true ? balancing.keepalived?.vrrpInstances : undefined)?.flatMap(
      ({ virtualIPs = [] }) => virtualIPs,
    ) ?? [];
  const { externalAddress, sans = [] } = api;
  const own = vip?.split('/')[0];
  const outside = externalAddress === undefined || externalAddress === own ? undefined : externalAddress;
  const extraNames = sans.filter((san) => san !== own && san !== outside);
  const endpoint: ToolEndpoint = {
    ...(own === undefined ? {} : { vip: own }),
    ...(outside === undefined
      ? {}
      : {
          ...(isAddress(outside) ? { vip: outside } : { name: outside }),
          ...(own === undefined ? { external: true } : {}),
        }),
    ...(outside !== undefined && own === undefined ? defined({ port: api.port }) : {}),
    ...(extraNames.length > 0 ? { extraNames } : {}),
  };
  return Object.keys(endpoint).length > 0 ? endpoint : undefined;
};

const remarksOn = (spec: Settings): readonly Remark[] => {
  const { api, network = {}, storage, extensions, workerProfiles = [] } = spec;
  const charts = extensions?.helm?.charts ?? [];
  const profiles = workerProfiles.filter(({ name }) => name !== 'default').map(({ name }) => name);
  const flags = [
    ...(isBlank(api?.extraArgs) ? [] : ['api']),
    ...(isBlank(spec.controllerManager?.extraArgs) ? [] : ['controllerManager']),
    ...(isBlank(spec.scheduler?.extraArgs) ? [] : ['scheduler']),
    ...(isBlank(storage?.etcd?.extraArgs) ? [] : ['storage.etcd']),
  ];
  const others = otherKeys(spec, settingKeys);
  return [
    leftOut(
      ['network', 'pods'],
      `network provider ${network.provider ?? 'kuberouter'}: kbs routes pods by host-gw, without an overlay or network policies`,
    ),
    ...(network.dualStack?.enabled === true ? [leftOut(['network', 'pods'], 'dualStack: kbs has IPv4 alone')] : []),
    ...(network.kubeProxy?.disabled === true
      ? [leftOut(['kubernetes', 'proxy'], 'kubeProxy.disabled: kbs needs kube-proxy')]
      : []),
    ...(network.nodeLocalLoadBalancing?.enabled === true
      ? [
          leftOut(
            ['endpoint'],
            'nodeLocalLoadBalancing: kbs has no proxy on each node, but load balancers before the API',
          ),
        ]
      : []),
    ...(api?.port !== undefined && api.port !== 6443
      ? [leftOut(['endpoint'], `api.port ${api.port}: API servers of kbs have port 6443`)]
      : []),
    ...(storage?.type !== undefined && storage.type !== 'etcd'
      ? [leftOut(['kubernetes'], `storage ${storage.type}: kbs keeps the state of the cluster in etcd`)]
      : []),
    ...(isBlank(storage?.etcd?.externalCluster)
      ? []
      : [leftOut(['kubernetes'], 'externalCluster: kbs runs etcd on every control plane, and takes no other')]),
    ...(flags.length > 0
      ? [leftOut(['kubernetes'], `extraArgs of ${flags.join(', ')}: kbs sets the flags of components itself`)]
      : []),
    ...(profiles.length > 0
      ? [
          leftOut(
            ['kubernetes'],
            `workerProfiles ${profiles.join(', ')}: write their values under kubelet of the hosts`,
          ),
        ]
      : []),
    ...(charts.length > 0
      ? [
          leftOut(
            ['addons'],
            `charts ${shortList(charts.map(({ name }) => name))}: charts of your own go here, see docs/addons.md`,
          ),
        ]
      : []),
    ...(others.length > 0 ? [leftOut(['kubernetes'], `${shortList(others)} of k0s: kbs has no counterpart`)] : []),
  ];
};

const settingKeys = [
  ...['api', 'network', 'controllerManager', 'scheduler', 'storage', 'extensions', 'workerProfiles'],
  // What `k0s config create` writes in any case.
  ...['installConfig', 'konnectivity', 'telemetry'],
];
