import type { z } from 'zod';
import { defined } from '../../defined.js';
import { isAddress } from '../addresses.js';
import { shortList } from '../did-you-mean.js';
import { anyMap, flag, isBlank, listOf, mapOf, otherKeys, readShape, table, word } from './shape.js';
import { decide, leftOut, note, type Remark, type ToolCluster, type ToolHost } from './tool-cluster.js';
import type { YamlInput } from './yaml-input.js';

/** A cluster.yml of RKE 1: https://rke.docs.rancher.com/config-options. */
export const readRke = (input: YamlInput): ToolCluster => {
  const read = readShape(clusterShape, input);
  const { services = {}, bastion_host: bastion } = read;
  const jump = isBlank(bastion?.address)
    ? undefined
    : defined({
        host: bastion?.address ?? '',
        user: text(bastion?.user),
        port: portOf(bastion?.port),
        key: text(bastion?.ssh_key_path),
      });
  const hosts = read.nodes.filter(isHost);
  const maxPods = services.kubelet?.extra_args?.['max-pods'];
  const registry = read.private_registries?.find(({ is_default }) => is_default === true);
  return {
    tool: 'rke',
    name: text(read.cluster_name) ?? 'local',
    pods: text(services['kube-controller']?.cluster_cidr) ?? '10.42.0.0/16',
    services: text(services['kube-api']?.service_cluster_ip_range) ?? '10.43.0.0/16',
    domain: text(services.kubelet?.cluster_domain) ?? 'cluster.local',
    ...defined({
      version: text(read.kubernetes_version)
        ?.replace(/^v/, '')
        .replace(/-rancher.*$/, ''),
      proxy: services.kubeproxy?.extra_args?.['proxy-mode'],
      kubelet: maxPods === undefined ? undefined : { maxPods: Number(maxPods) },
      endpoint: isBlank(read.authentication?.sans) ? undefined : { extraNames: read.authentication?.sans ?? [] },
      upstreams: isBlank(read.dns?.upstreamnameservers) ? undefined : read.dns?.upstreamnameservers,
      registries: registry === undefined ? undefined : { 'docker.io': { mirrors: [`https://${registry.url}`] } },
    }),
    hosts: hosts.map(
      (node): ToolHost => ({
        ...defined({
          name: text(node.hostname_override) ?? firstLabel(node.address),
          address: text(node.internal_address) ?? node.address,
          login: node.address,
        }),
        roles: [
          ...(node.role.includes('controlplane') ? ['control-plane' as const] : []),
          ...(node.role.includes('worker') ? ['worker' as const] : []),
        ],
        ...(isBlank(node.labels) ? {} : { labels: node.labels ?? {} }),
        ...(isBlank(node.taints) ? {} : { taints: (node.taints ?? []).map(taintText) }),
        ssh: defined({
          user: text(node.user),
          port: portOf(node.port),
          key: text(node.ssh_key_path) ?? text(read.ssh_key_path),
          jump,
        }),
        remarks: remarksOnNode(node),
      }),
    ),
    remarks: remarksOn(read),
  };
};

/** Whether a document is a cluster.yml of RKE 1. */
export const isRke = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'nodes' in value &&
  Array.isArray(value.nodes) &&
  value.nodes.some((node: unknown) => typeof node === 'object' && node !== null && 'role' in node);

const node = mapOf({
  address: word,
  internal_address: word.optional(),
  hostname_override: word.optional(),
  user: word.optional(),
  port: word.optional(),
  role: listOf(word),
  ssh_key: word.optional(),
  ssh_key_path: word.optional(),
  ssh_cert: word.optional(),
  ssh_cert_path: word.optional(),
  labels: table.optional(),
  taints: listOf(mapOf({ key: word, value: word.optional(), effect: word })).optional(),
});

const service = mapOf({ extra_args: table.optional(), extra_args_array: anyMap.optional() });

const clusterShape = mapOf({
  cluster_name: word.optional(),
  kubernetes_version: word.optional(),
  ssh_key_path: word.optional(),
  ssh_cert_path: word.optional(),
  nodes: listOf(node),
  network: mapOf({ plugin: word.optional(), mtu: word.optional() }).optional(),
  services: mapOf({
    etcd: service.extend({ external_urls: listOf(word).optional(), backup_config: anyMap.optional() }).optional(),
    'kube-api': service
      .extend({ service_cluster_ip_range: word.optional(), service_node_port_range: word.optional() })
      .optional(),
    'kube-controller': service.extend({ cluster_cidr: word.optional() }).optional(),
    kubelet: service.extend({ cluster_domain: word.optional(), cluster_dns_server: word.optional() }).optional(),
    kubeproxy: service.optional(),
    scheduler: service.optional(),
  }).optional(),
  authentication: mapOf({ strategy: word.optional(), sans: listOf(word).optional() }).optional(),
  dns: mapOf({ provider: word.optional(), upstreamnameservers: listOf(word).optional() }).optional(),
  ingress: mapOf({ provider: word.optional() }).optional(),
  monitoring: mapOf({ provider: word.optional() }).optional(),
  cloud_provider: mapOf({ name: word.optional() }).optional(),
  addons: word.optional(),
  addons_include: listOf(word).optional(),
  bastion_host: mapOf({
    address: word.optional(),
    user: word.optional(),
    port: word.optional(),
    ssh_key: word.optional(),
    ssh_key_path: word.optional(),
  }).optional(),
  private_registries: listOf(
    mapOf({ url: word, user: word.optional(), password: word.optional(), is_default: flag.optional() }),
  ).optional(),
});

type Cluster = z.output<typeof clusterShape>;
type Node = z.output<typeof node>;

/** RKE writes settings that have no value as empty texts. */
const text = (written: string | undefined): string | undefined => (written === '' ? undefined : written);

/** The port of SSH is 22 where RKE writes none, and `0` is none. */
const portOf = (written: string | undefined): number | undefined =>
  written === undefined || !(Number(written) > 0) ? undefined : Number(written);

const firstLabel = (address: string): string | undefined =>
  isAddress(address) || address.includes(':') ? undefined : address.split('.')[0];

const taintText = ({ key, value, effect }: { key: string; value?: string | undefined; effect: string }): string =>
  isBlank(value) ? `${key}:${effect}` : `${key}=${value}:${effect}`;

/** A machine with the role etcd alone has no place in kbs. */
const isHost = ({ role }: Node): boolean => role.includes('controlplane') || role.includes('worker');

const remarksOnNode = ({ role, ...written }: Node): readonly Remark[] => [
  ...(role.includes('etcd') && !role.includes('controlplane')
    ? [leftOut(['roles'], 'etcd: kbs runs etcd on control planes alone, one member on each')]
    : []),
  ...(role.includes('controlplane') && !role.includes('etcd')
    ? [note(['roles'], 'without etcd in RKE; kbs runs a member of etcd on every control plane')]
    : []),
  ...(isBlank(written.ssh_key)
    ? []
    : [
        decide(
          ['ssh'],
          'the private key is in the file (ssh_key), and is not copied: write it into a file of its own',
          'key: PATH',
        ),
      ]),
  ...(isBlank(written.ssh_cert) && isBlank(written.ssh_cert_path)
    ? []
    : [leftOut(['ssh'], 'ssh_cert: kbs does not log in with certificates')]),
];

const remarksOn = (read: Cluster): readonly Remark[] => {
  const { network, services = {}, private_registries: registries = [] } = read;
  const flags = Object.entries(services).flatMap(([name, settings]) => {
    const { extra_args, extra_args_array } = (settings ?? {}) as z.output<typeof service>;
    const known = name === 'kubelet' ? ['max-pods'] : name === 'kubeproxy' ? ['proxy-mode'] : [];
    return [...otherKeys(extra_args, known), ...Object.keys(extra_args_array ?? {})].map((key) => `${name} ${key}`);
  });
  const others = [
    ...otherKeys(read, clusterKeys),
    ...Object.entries(serviceKeys).flatMap(([name, known]) =>
      otherKeys(services[name] as Readonly<Record<string, unknown>> | undefined, [...known, ...everyService]).map(
        (key) => `${name}.${key}`,
      ),
    ),
  ];
  const users = read.nodes.some(({ user }) => text(user) !== undefined && user !== 'root');
  return [
    ...read.nodes
      .filter((each) => !isHost(each))
      .map(({ address, role }) =>
        leftOut(['hosts'], `${address} with the roles ${role.join(', ')}: kbs runs etcd on control planes alone`),
      ),
    leftOut(
      ['network', 'pods'],
      `network plugin ${text(network?.plugin) ?? 'canal'}: kbs routes pods by host-gw, without an overlay or network policies`,
    ),
    ...(isBlank(network?.mtu) || network?.mtu === '0'
      ? []
      : [
          leftOut(
            ['network', 'segments'],
            `network.mtu ${network?.mtu}: here each segment has its own, 1500 without an overlay`,
          ),
        ]),
    ...(users
      ? [note(['ssh'], 'RKE needs users who may use Docker; kbs needs users who become root, by sudo as a rule')]
      : []),
    ...(isBlank(services.etcd?.external_urls)
      ? []
      : [leftOut(['kubernetes'], 'external_urls of etcd: kbs runs etcd on every control plane, and takes no other')]),
    ...(isBlank(services.etcd?.backup_config)
      ? []
      : [
          leftOut(
            ['kubernetes'],
            'backup_config of etcd: kbs takes snapshots when it is told to, by kbs etcd snapshot',
          ),
        ]),
    ...(isBlank(read.authentication?.strategy) || /^x509$/.test(read.authentication?.strategy ?? '')
      ? []
      : [leftOut(['kubernetes'], `authentication ${read.authentication?.strategy}: kbs has certificates and tokens`)]),
    ...(isBlank(read.dns?.provider) || read.dns?.provider === 'coredns'
      ? []
      : [leftOut(['dns'], `dns provider ${read.dns?.provider}: the DNS of the cluster is CoreDNS`)]),
    ...(flags.length > 0
      ? [
          leftOut(
            ['kubernetes'],
            `extra_args ${shortList(flags)}: kbs sets the flags of components itself; kubelet settings go under kubernetes.kubelet`,
          ),
        ]
      : []),
    ...(isBlank(read.cloud_provider?.name)
      ? []
      : [leftOut(['kubernetes'], `cloud_provider ${read.cloud_provider?.name}: kbs knows no clouds`)]),
    ...(isBlank(read.ingress?.provider) || read.ingress?.provider === 'none'
      ? []
      : [leftOut(['addons'], `ingress ${read.ingress?.provider}: kbs has the add-on ingress, which is Traefik`)]),
    ...(isBlank(read.monitoring?.provider) || read.monitoring?.provider === 'none'
      ? []
      : [leftOut(['addons'], `monitoring ${read.monitoring?.provider}: kbs has the add-on metrics-server`)]),
    ...(isBlank(read.addons) && isBlank(read.addons_include)
      ? []
      : [leftOut(['addons'], 'addons: manifests are not taken; charts of your own go here, see docs/addons.md')]),
    ...registries.flatMap(({ url, user, password, is_default }) => [
      ...(isBlank(user) && isBlank(password)
        ? []
        : [leftOut(['registries'], `the user and password for ${url} are not copied; see docs/registries.md`)]),
      ...(is_default === true
        ? [note(['registries'], `${url} stands for images without a registry, which are of docker.io`)]
        : [leftOut(['registries'], `${url}: a registry needs no entry; it has one for mirrors and authorities`)]),
    ]),
    ...(isBlank(read.bastion_host?.ssh_key)
      ? []
      : [
          decide(
            ['ssh'],
            'the private key of bastion_host is in the file, and is not copied: write it into a file of its own',
          ),
        ]),
    ...(isBlank(read.ssh_cert_path) ? [] : [leftOut(['ssh'], 'ssh_cert_path: kbs does not log in with certificates')]),
    ...(others.length > 0 ? [leftOut(['kubernetes'], `${shortList(others)}: kbs has no counterpart`)] : []),
  ];
};

const clusterKeys = [
  ...Object.keys(clusterShape.shape),
  // How RKE itself works, and what every file that it made has.
  ...['ssh_agent_auth', 'system_images', 'ignore_docker_version', 'enable_cri_dockerd', 'addon_job_timeout'],
  ...['restore', 'rotate_encryption_key', 'authorization', 'prefix_path', 'win_prefix_path'],
];

const everyService = ['image', 'extra_args', 'extra_args_array'];
const serviceKeys: Readonly<Record<string, readonly string[]>> = {
  etcd: ['external_urls', 'backup_config', 'snapshot', 'retention', 'creation', 'ca_cert', 'cert', 'key', 'path'],
  'kube-api': ['service_cluster_ip_range', 'secrets_encryption_config', 'pod_security_configuration'],
  'kube-controller': ['cluster_cidr', 'service_cluster_ip_range'],
  kubelet: ['cluster_domain', 'cluster_dns_server', 'infra_container_image', 'generate_serving_certificate'],
  kubeproxy: [],
  scheduler: [],
};
