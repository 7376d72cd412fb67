import type { Values } from './ansible-values.js';
import { leftOut, type Remark, when } from './tool-cluster.js';

/** What kbs does not take of kubespray's variables, where they say something else than kbs does. */
export const kubesprayRemarks = (values: Values): readonly Remark[] => {
  const plugin = values.text('kube_network_plugin') ?? 'calico';
  const prefix = values.number('kube_network_node_prefix');
  const manager = values.text('container_manager');
  const apiPort = values.number('kube_apiserver_port');
  const proxy = values.text('https_proxy', 'http_proxy');
  const clouds = ['cloud_provider', 'external_cloud_provider'].flatMap((name) => values.text(name) ?? []);
  return [
    leftOut(
      ['network', 'pods'],
      `kube_network_plugin ${plugin}: kbs routes pods by host-gw, without an overlay or network policies`,
    ),
    ...when(
      prefix !== undefined && prefix !== 24,
      leftOut(['network', 'pods'], `kube_network_node_prefix ${prefix}: kbs carves the addresses of each host itself`),
    ),
    ...when(
      values.isTrue('ipv6_stack') && values.isFalse('ipv4_stack'),
      leftOut(['network', 'pods'], 'ipv4_stack false: kbs needs IPv4, with IPv6 beside it'),
    ),
    ...when(
      manager !== undefined && manager !== 'containerd',
      leftOut(['kubernetes'], `container_manager ${manager}: kbs runs containerd`),
    ),
    ...when(
      apiPort !== undefined && apiPort !== 6443,
      leftOut(['endpoint'], `kube_apiserver_port ${apiPort}: API servers of kbs have port 6443`),
    ),
    ...when(
      hasPassword(proxy),
      leftOut(['proxy'], 'https_proxy has a password: it is not copied, and kbs has no proxy that asks for one'),
    ),
    ...when(clouds.length > 0, leftOut(['kubernetes'], `cloud_provider ${clouds.join(', ')}: kbs knows no clouds`)),
    ...sayings.flatMap(([name, path, text]) => when(values.isTrue(name), leftOut(path, `${name}: ${text}`))),
  ];
};

/** Whether the address of a proxy holds a user, and perhaps a password. */
export const hasPassword = (url: string | undefined): boolean => url !== undefined && /^https?:\/\/[^/]*@/.test(url);

/** Variables that are true, and what kbs has in their place. */
const sayings: readonly (readonly [name: string, path: readonly string[], text: string])[] = [
  ['enable_nodelocaldns', ['dns'], 'kbs has CoreDNS, and no cache of DNS on each node'],
  ['kubernetes_audit', ['kubernetes'], 'kbs has an audit policy; yours goes under apiServer, see docs/components.md'],
  ['kube_oidc_auth', ['kubernetes'], 'issuers of tokens go into a file, see docs/components.md'],
  ['metrics_server_enabled', ['addons'], 'kbs has the add-on metrics-server'],
  ['local_path_provisioner_enabled', ['addons'], 'kbs has the add-on storage'],
  ['ingress_nginx_enabled', ['addons'], 'kbs has the add-on ingress, which is Traefik'],
  ['cert_manager_enabled', ['addons'], 'kbs has the add-on cert-manager'],
  ['metallb_enabled', ['addons'], 'kbs has the add-on load-balancer-services, which is MetalLB: write its pool there'],
  ['dashboard_enabled', ['addons'], 'kbs has the add-on dashboard, which is Headlamp'],
];

/** The variables that are read, or told about one by one. */
export const readVariables = [
  ...['ansible_host', 'ansible_ssh_host', 'ip', 'access_ip', 'ansible_port', 'ansible_ssh_port'],
  ...['ansible_user', 'ansible_ssh_user', 'ansible_ssh_private_key_file', 'ansible_private_key_file'],
  ...[
    'ansible_password',
    'ansible_ssh_pass',
    'ansible_ssh_password',
    'ansible_ssh_common_args',
    'ansible_ssh_extra_args',
  ],
  ...['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass', 'ansible_become_method'],
  ...['ansible_connection', 'node_labels', 'node_taints'],
  ...['kube_version', 'kube_pods_subnet', 'kube_service_addresses', 'dns_domain', 'cluster_name', 'kube_proxy_mode'],
  ...['kubelet_max_pods', 'upstream_dns_servers', 'supplementary_addresses_in_ssl_keys', 'loadbalancer_apiserver'],
  ...['apiserver_loadbalancer_domain_name', 'kube_vip_enabled', 'kube_vip_address', 'https_proxy', 'http_proxy'],
  ...[
    'additional_no_proxy',
    'containerd_registries_mirrors',
    'kube_network_plugin',
    'kube_network_node_prefix',
    'enable_dual_stack_networks',
  ],
  ...['kube_feature_gates', 'kube_kubeadm_apiserver_extra_args', 'kube_kubeadm_controller_extra_args'],
  ...[
    'kube_kubeadm_scheduler_extra_args',
    'ipv4_stack',
    'ipv6_stack',
    'kube_service_addresses_ipv6',
    'kube_pods_subnet_ipv6',
    'kube_network_node_prefix_ipv6',
    'ip6',
    'access_ip6',
    'container_manager',
    'kube_apiserver_port',
    'cloud_provider',
    'external_cloud_provider',
  ],
  ...sayings.map(([name]) => name),
];

/** What is Ansible's own affair, or follows from how kubespray works. */
export const quietVariables = [
  ...['ansible_become', 'ansible_become_user', 'ansible_python_interpreter', 'ansible_ssh_transfer_method'],
  ...['etcd_member_name', 'etcd_deployment_type', 'etcd_data_dir', 'etcd_kubeadm_enabled', 'bin_dir', 'ndots'],
  ...['kube_config_dir', 'kube_script_dir', 'kube_manifest_dir', 'kube_cert_dir', 'kube_token_dir', 'credentials_dir'],
  ...[
    'local_release_dir',
    'retry_stagger',
    'kube_owner',
    'kube_cert_group',
    'kube_log_level',
    'kubeadm_certificate_key',
  ],
  ...[
    'kube_apiserver_ip',
    'skydns_server',
    'skydns_server_secondary',
    'dns_mode',
    'resolvconf_mode',
    'nodelocaldns_ip',
  ],
  ...['kube_api_anonymous_auth', 'kube_encrypt_secret_data', 'k8s_image_pull_policy', 'event_ttl_duration'],
  ...['kubeadm_patches'],
  ...['kube_proxy_nodeport_addresses', 'default_kubelet_config_dir', 'coredns_k8s_external_zone', 'helm_enabled'],
  ...['loadbalancer_apiserver_port', 'loadbalancer_apiserver_healthcheck_port', 'loadbalancer_apiserver_type'],
  ...['loadbalancer_apiserver_localhost', 'nodelocaldns_health_port', 'nodelocaldns_second_health_port'],
  ...['nodelocaldns_secondary_skew_seconds', 'ping_access_ip', 'ntp_timezone', 'unsafe_show_logs'],
];
