import { shortList } from '../did-you-mean.js';
import { clusterShape, type RkeCluster, type RkeNode, type RkeService } from './rke-shape.js';
import { isBlank, otherKeys } from './shape.js';
import { decide, leftOut, note, type Remark, when } from './tool-cluster.js';

/** Whether a node has a place in kbs: one with the role etcd alone has none. */
export const isHost = ({ role }: RkeNode): boolean => role.includes('controlplane') || role.includes('worker');

/** What there is to say of a node; paths begin at the host. */
export const nodeRemarks = ({ role, ssh_key, ssh_cert, ssh_cert_path }: RkeNode): readonly Remark[] => [
  ...when(
    role.includes('etcd') && !role.includes('controlplane'),
    leftOut(['roles'], 'etcd: kbs runs etcd on control planes alone, one member on each'),
  ),
  ...when(
    role.includes('controlplane') && !role.includes('etcd'),
    note(['roles'], 'without etcd in RKE; kbs runs a member of etcd on every control plane'),
  ),
  ...when(
    !isBlank(ssh_key),
    decide(
      ['ssh'],
      'the private key is in the file (ssh_key), and is not copied: write it into a file of its own',
      'key: PATH',
    ),
  ),
  ...when(
    !isBlank(ssh_cert) || !isBlank(ssh_cert_path),
    leftOut(['ssh'], 'ssh_cert: write the certificate into ~/.ssh/config, and transport: openssh here'),
  ),
];

/** What there is to say of the cluster. */
export const clusterRemarks = (read: RkeCluster): readonly Remark[] => {
  const { nodes, private_registries: registries = [] } = read;
  const users = nodes.some(({ user }) => !isBlank(user) && user !== 'root');
  const others = [...otherKeys(read, clusterKeys), ...otherServiceKeys(read)];
  return [
    ...nodes
      .filter((node) => !isHost(node))
      .map(({ address, role }) =>
        leftOut(['hosts'], `${address} with the roles ${role.join(', ')}: kbs runs etcd on control planes alone`),
      ),
    ...networkRemarks(read),
    ...when(
      users,
      note(['ssh'], 'RKE needs users who may use Docker; kbs needs users who become root, by sudo as a rule'),
    ),
    ...serviceRemarks(read),
    ...addonRemarks(read),
    ...registries.flatMap(registryRemarks),
    ...when(
      !isBlank(read.bastion_host?.ssh_key),
      decide(
        ['ssh'],
        'the private key of bastion_host is in the file, and is not copied: write it into a file of its own',
      ),
    ),
    ...when(
      !isBlank(read.ssh_cert_path),
      leftOut(['ssh'], 'ssh_cert_path: write CertificateFile into ~/.ssh/config, and transport: openssh here'),
    ),
    ...when(others.length > 0, leftOut(['kubernetes'], `${shortList(others)}: kbs has no counterpart`)),
  ];
};

const networkRemarks = ({ network, dns }: RkeCluster): readonly Remark[] => [
  leftOut(
    ['network', 'pods'],
    `network plugin ${network?.plugin || 'canal'}: kbs routes pods by host-gw, without an overlay or network policies`,
  ),
  ...when(
    !isBlank(network?.mtu) && network?.mtu !== '0',
    leftOut(
      ['network', 'segments'],
      `network.mtu ${network?.mtu}: here each segment has its own, 1500 without an overlay`,
    ),
  ),
  ...when(
    !isBlank(dns?.provider) && dns?.provider !== 'coredns',
    leftOut(['dns'], `dns provider ${dns?.provider}: the DNS of the cluster is CoreDNS`),
  ),
];

const serviceRemarks = ({ services = {}, authentication, cloud_provider: cloud }: RkeCluster): readonly Remark[] => {
  const fields = [
    ...otherKeys(services.kubelet?.extra_args, ['max-pods']).map((key) => `kubelet ${key}`),
    ...otherKeys(services.kubeproxy?.extra_args, ['proxy-mode']).map((key) => `kubeproxy ${key}`),
  ];
  const lists = Object.entries(services).flatMap(([name, settings]) =>
    // Every service has them.
    Object.keys((settings as RkeService | undefined)?.extra_args_array ?? {}).map((key) => `${name} ${key}`),
  );
  const path = ['kubernetes'];
  return [
    ...when(
      !isBlank(services.etcd?.external_urls),
      leftOut(path, 'external_urls of etcd: kbs runs etcd on every control plane, and takes no other'),
    ),
    ...when(
      !isBlank(services.etcd?.backup_config),
      leftOut(path, 'backup_config of etcd: kbs takes snapshots when it is told to, by kbs etcd snapshot'),
    ),
    ...when(
      !isBlank(authentication?.strategy) && authentication?.strategy !== 'x509',
      leftOut(
        path,
        `authentication ${authentication?.strategy}: issuers of tokens go into a file, see docs/components.md`,
      ),
    ),
    ...when(
      fields.length > 0,
      leftOut(path, `extra_args ${shortList(fields)}: fields of a configuration here, kubelet and kubeProxy`),
    ),
    ...when(
      lists.length > 0,
      leftOut(path, `extra_args_array ${shortList(lists)}: a flag has one value here, or texts with commas between`),
    ),
    ...when(!isBlank(cloud?.name), leftOut(path, `cloud_provider ${cloud?.name}: kbs knows no clouds`)),
  ];
};

const addonRemarks = ({ ingress, monitoring, addons, addons_include }: RkeCluster): readonly Remark[] => [
  ...when(
    !isBlank(ingress?.provider) && ingress?.provider !== 'none',
    leftOut(['addons'], `ingress ${ingress?.provider}: kbs has the add-on ingress, which is Traefik`),
  ),
  ...when(
    !isBlank(monitoring?.provider) && monitoring?.provider !== 'none',
    leftOut(['addons'], `monitoring ${monitoring?.provider}: kbs has the add-on metrics-server`),
  ),
  ...when(
    !isBlank(addons) || !isBlank(addons_include),
    leftOut(['addons'], 'addons: manifests are not taken; charts of your own go here, see docs/addons.md'),
  ),
];

const registryRemarks = ({
  url,
  user,
  password,
  is_default,
}: NonNullable<RkeCluster['private_registries']>[number]): readonly Remark[] => [
  ...when(
    !isBlank(user) || !isBlank(password),
    leftOut(['registries'], `the user and password for ${url} are not copied; see docs/registries.md`),
  ),
  is_default === true
    ? note(['registries'], `${url} stands for images without a registry, which are of docker.io`)
    : leftOut(['registries'], `${url}: a registry needs no entry; it has one for mirrors and authorities`),
];

const clusterKeys = [
  ...Object.keys(clusterShape.shape),
  // How RKE itself works, and what every file that it made has.
  ...['ssh_agent_auth', 'system_images', 'ignore_docker_version', 'enable_cri_dockerd', 'addon_job_timeout'],
  ...['restore', 'rotate_encryption_key', 'authorization', 'prefix_path', 'win_prefix_path'],
];

const otherServiceKeys = ({ services = {} }: RkeCluster): readonly string[] =>
  Object.entries(serviceKeys).flatMap(([name, known]) => {
    const settings = services[name] as Readonly<Record<string, unknown>> | undefined;
    return otherKeys(settings, [...known, 'image', 'extra_args', 'extra_args_array']).map((key) => `${name}.${key}`);
  });

const serviceKeys: Readonly<Record<string, readonly string[]>> = {
  etcd: ['external_urls', 'backup_config', 'snapshot', 'retention', 'creation', 'ca_cert', 'cert', 'key', 'path'],
  'kube-api': ['service_cluster_ip_range', 'secrets_encryption_config', 'pod_security_configuration'],
  'kube-controller': ['cluster_cidr', 'service_cluster_ip_range'],
  kubelet: ['cluster_domain', 'cluster_dns_server', 'infra_container_image', 'generate_serving_certificate'],
  kubeproxy: [],
  scheduler: [],
};
