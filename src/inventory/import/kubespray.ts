import { defined } from '../../defined.js';
import { type Failure, Failures } from '../../failure.js';
import { isAddress } from '../addresses.js';
import { shortList } from '../did-you-mean.js';
import { type AnsibleInventory, hostsIn, type VarFile, type Vars, varsOf } from './ansible.js';
import { isEncrypted, isTemplate, type Values, valuesOf } from './ansible-values.js';
import { hasPassword, kubesprayRemarks, quietVariables, readVariables } from './kubespray-variables.js';
import { isBlank } from './shape.js';
import {
  leftOut,
  note,
  type Remark,
  type ToolCluster,
  type ToolEndpoint,
  type ToolHost,
  type ToolJump,
  type ToolSsh,
  when,
} from './tool-cluster.js';

/**
 * A cluster of kubespray, from its Ansible inventory and the variables beside it:
 * https://github.com/kubernetes-sigs/kubespray/blob/master/docs/ansible/inventory.md and vars.md there. `name` is what the
 * cluster is called: kubespray has a DNS domain in its place. Throws Failures `inventory` for values of a wrong type.
 */
export const readKubespray = (written: AnsibleInventory, files: readonly VarFile[], name: string): ToolCluster => {
  const failures: Failure[] = [];
  const inventory = withDynamicGroups(written);
  const members = membersOf(inventory);
  const varsByHost = new Map([...inventory.hosts.keys()].map((host) => [host, varsOf(inventory, files, host)]));
  const valuesFor = (host: string | undefined): Values =>
    valuesOf(varsByHost.get(host ?? '') ?? {}, (failure) => failures.push(failure));
  const [leader = members.workers[0]] = members.controlPlanes;
  const values = valuesFor(leader);
  const jump = jumpOf(members.bastions[0], valuesFor);
  const cluster: ToolCluster = {
    tool: 'kubespray',
    name,
    pods: values.text('kube_pods_subnet') ?? '10.233.64.0/18',
    services: values.text('kube_service_addresses') ?? '10.233.0.0/18',
    domain: values.text('dns_domain', 'cluster_name') ?? 'cluster.local',
    ...defined({
      ipv6: ipv6Of(values),
      version: values.text('kube_version')?.replace(/^v/, ''),
      proxy: values.text('kube_proxy_mode'),
      flags: defined({
        apiServer: values.map('kube_kubeadm_apiserver_extra_args'),
        controllerManager: values.map('kube_kubeadm_controller_extra_args'),
        scheduler: values.map('kube_kubeadm_scheduler_extra_args'),
      }),
      featureGates: gatesOf(values),
      kubelet: kubeletOf(values),
      endpoint: endpointOf(values),
      upstreams: values.list('upstream_dns_servers'),
      ...pullsOf(values),
    }),
    hosts: members.nodes.map((host) => hostOf(host, valuesFor(host), members, jump)),
    remarks: [
      ...remarksOnMembers(inventory, members),
      ...kubesprayRemarks(values),
      ...unreadRemarks([...varsByHost.values()], varsByHost.get(leader ?? '') ?? {}),
    ],
  };
  const unique = new Map(failures.map((failure) => [`${failure.where.position} ${failure.message}`, failure]));
  if (unique.size > 0) throw new Failures([...unique.values()]);
  return cluster;
};

interface Members {
  readonly controlPlanes: readonly string[];
  readonly workers: readonly string[];
  readonly etcd: readonly string[];
  readonly bastions: readonly string[];
  /** Control planes and workers, in the order of the file. */
  readonly nodes: readonly string[];
}

/**
 * As kubespray itself does: groups have had other names, and the nodes are a group of their own, whose variables count
 * where the inventory does not name it. See roles/dynamic_groups there.
 */
const withDynamicGroups = ({ groups: written, hosts }: AnsibleInventory): AnsibleInventory => {
  const groups = new Map(written);
  for (const [name, others] of dynamicGroups) {
    const group = groups.get(name) ?? { hosts: [], children: [], vars: {} };
    const members = hostsIn({ groups, hosts }, ...others);
    if (members.length > 0) groups.set(name, { ...group, hosts: [...new Set([...group.hosts, ...members])] });
  }
  return { groups, hosts };
};

const dynamicGroups: readonly (readonly [name: string, others: readonly string[]])[] = [
  ['kube_control_plane', ['kube-control-plane', 'kube_master', 'kube-master']],
  ['kube_node', ['kube-node']],
  ['calico_rr', ['calico-rr']],
  ['k8s_cluster', ['kube_control_plane', 'kube_node', 'calico_rr']],
];

const membersOf = (inventory: AnsibleInventory): Members => {
  const controlPlanes = hostsIn(inventory, 'kube_control_plane');
  const workers = hostsIn(inventory, 'kube_node');
  return {
    controlPlanes,
    workers,
    etcd: hostsIn(inventory, 'etcd'),
    bastions: hostsIn(inventory, 'bastion'),
    nodes: [...inventory.hosts.keys()].filter((host) => controlPlanes.includes(host) || workers.includes(host)),
  };
};

const hostOf = (name: string, values: Values, members: Members, jump: ToolJump | undefined): ToolHost => {
  const { controlPlanes, workers, etcd } = members;
  const login = values.text('ansible_host', 'ansible_ssh_host') ?? name;
  const address = values.text('ip', 'access_ip') ?? login;
  const access = values.text('access_ip');
  const isControlPlane = controlPlanes.includes(name);
  const labels = values.map('node_labels');
  return {
    name,
    address,
    login,
    roles: [
      ...(isControlPlane ? ['control-plane' as const] : []),
      ...(workers.includes(name) ? ['worker' as const] : []),
    ],
    ...defined({
      ipv6: values.text('ip6', 'access_ip6'),
      labels: labels && Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])),
      taints: values.list('node_taints'),
    }),
    ssh: sshOf(values, jump),
    remarks: [
      ...when(
        access !== undefined && access !== address,
        leftOut(['address'], `access_ip ${access}: hosts of kbs reach one another at their address`),
      ),
      ...when(
        isControlPlane && !etcd.includes(name),
        note(['roles'], 'not in the group etcd; kbs runs a member of etcd on every control plane'),
      ),
      ...when(
        !isControlPlane && etcd.includes(name),
        leftOut(['roles'], 'etcd: kbs runs etcd on control planes alone, one member on each'),
      ),
      ...loginRemarks(values),
    ],
  };
};

const sshOf = (values: Values, bastion: ToolJump | undefined): ToolSsh => {
  const method = values.text('ansible_become_method');
  const argumentsText = `${values.text('ansible_ssh_common_args') ?? ''} ${values.text('ansible_ssh_extra_args') ?? ''}`;
  const [, jump = undefined] = /(?:ProxyJump[= ]|-J\s*)["']?([^\s"',]+)/.exec(argumentsText) ?? [];
  return defined({
    user: values.text('ansible_user', 'ansible_ssh_user'),
    become: method === 'doas' ? method : undefined,
    port: values.number('ansible_port', 'ansible_ssh_port'),
    key: values.text('ansible_ssh_private_key_file', 'ansible_private_key_file'),
    password: values.has(...passwords) ? ('ask' as const) : undefined,
    transport: values.text('ansible_connection') === 'local' ? ('local' as const) : undefined,
    jump: bastion ?? jump,
  });
};

const passwords = ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'] as const;

const loginRemarks = (values: Values): readonly Remark[] => {
  const method = values.text('ansible_become_method') ?? 'sudo';
  return [
    ...when(values.has(...passwords), note(['ssh'], 'the password is not copied: kbs asks, or reads KBS_SSH_PASSWORD')),
    ...when(
      values.has('ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'),
      note(['ssh'], 'the password for sudo is not copied: kbs asks, or reads KBS_SUDO_PASSWORD'),
    ),
    ...when(
      !['sudo', 'doas'].includes(method),
      leftOut(['ssh'], `ansible_become_method ${method}: kbs becomes root by sudo or doas`),
    ),
    ...when(
      values.text('ansible_ssh_common_args')?.includes('ProxyCommand') === true,
      leftOut(
        ['ssh'],
        'ProxyCommand of ansible_ssh_common_args: write it into ~/.ssh/config, and transport: openssh here',
      ),
    ),
  ];
};

const jumpOf = (bastion: string | undefined, valuesFor: (host: string) => Values): ToolJump | undefined => {
  if (bastion === undefined) return undefined;
  const { user, port, key } = sshOf(valuesFor(bastion), undefined);
  const host = valuesFor(bastion).text('ansible_host', 'ansible_ssh_host') ?? bastion;
  return defined({ host, user, port, key });
};

/** With kubespray's own defaults. */
const ipv6Of = (values: Values): ToolCluster['ipv6'] =>
  values.isTrue('enable_dual_stack_networks') || (values.isTrue('ipv6_stack') && !values.isFalse('ipv4_stack'))
    ? {
        pods: values.text('kube_pods_subnet_ipv6') ?? 'fd85:ee78:d8a6:8607::1:0/112',
        services: values.text('kube_service_addresses_ipv6') ?? 'fd85:ee78:d8a6:8607::1000/116',
        nodePrefix: values.number('kube_network_node_prefix_ipv6') ?? 120,
      }
    : undefined;

/** Of texts like `ContextualLogging=false`. */
const gatesOf = (values: Values): ToolCluster['featureGates'] =>
  Object.fromEntries(
    (values.list('kube_feature_gates') ?? []).map((gate) => [gate.split('=')[0], !/=false$/i.test(gate)]),
  );

const kubeletOf = (values: Values): ToolCluster['kubelet'] => {
  const maxPods = values.number('kubelet_max_pods');
  return maxPods === undefined ? undefined : { maxPods };
};

/** A load balancer outside the cluster, or the address that kube-vip keeps on the control planes. */
const endpointOf = (values: Values): ToolEndpoint | undefined => {
  const balancer = values.map('loadbalancer_apiserver');
  const virtual = values.isTrue('kube_vip_enabled') ? values.text('kube_vip_address') : undefined;
  const address = balancer?.address === undefined ? undefined : String(balancer.address);
  const name =
    values.text('apiserver_loadbalancer_domain_name') ?? (address && !isAddress(address) ? address : undefined);
  const vip = address !== undefined && isAddress(address) ? address : virtual;
  const extraNames = values.list('supplementary_addresses_in_ssl_keys');
  const external = balancer !== undefined && (virtual === undefined || virtual !== address);
  const endpoint: ToolEndpoint = defined({
    name: vip === undefined && !external ? undefined : name,
    vip,
    port: external && /^\d+$/.test(String(balancer.port)) ? Number(balancer.port) : undefined,
    external: external ? true : undefined,
    extraNames,
  });
  return Object.keys(endpoint).length > 0 ? endpoint : undefined;
};

/** How images are pulled. */
const pullsOf = (values: Values): Pick<ToolCluster, 'pullProxy' | 'registries'> => {
  const url = values.text('https_proxy', 'http_proxy');
  const exclude = values.list('additional_no_proxy');
  const mirrors = values.maps('containerd_registries_mirrors').map(({ prefix, mirrors: written }) => {
    const hosts = Array.isArray(written) ? written : [];
    return [String(prefix), { mirrors: hosts.map((each: { readonly host?: unknown }) => String(each.host)) }] as const;
  });
  return {
    ...(url === undefined || hasPassword(url) ? {} : { pullProxy: { url, ...defined({ exclude }) } }),
    ...(mirrors.length > 0 ? { registries: Object.fromEntries(mirrors) } : {}),
  };
};

const remarksOnMembers = (inventory: AnsibleInventory, members: Members): readonly Remark[] => {
  const others = [...inventory.hosts.keys()].filter((host) => !members.nodes.includes(host));
  const reflectors = hostsIn(inventory, 'calico_rr');
  const why = (host: string): string => {
    if (members.bastions.includes(host)) return '';
    if (members.etcd.includes(host)) return 'in the group etcd alone: kbs runs etcd on control planes';
    if (reflectors.includes(host)) return 'a route reflector of Calico: kbs routes pods by host-gw';
    return 'in no group that kubespray makes nodes of';
  };
  return others.flatMap((host) => (why(host) === '' ? [] : [leftOut(['hosts'], `${host}: ${why(host)}`)]));
};

/** What is encrypted, what only Ansible could compute, and what kbs has no place for. */
const unreadRemarks = (hosts: readonly Vars[], ofLeader: Vars): readonly Remark[] => {
  const all: Vars = Object.assign({}, ...hosts, ofLeader);
  const encrypted = Object.keys(all).filter((name) => all[name] !== undefined && isEncrypted(all[name]));
  const templates = readVariables.filter((name) => hosts.some((vars) => isTemplate(vars, name)));
  const others = Object.entries(all).flatMap(([name, { value }]) =>
    [...readVariables, ...quietVariables, ...encrypted].includes(name) || isBlank(value) ? [] : [name],
  );
  return [
    ...encrypted.map((name) => leftOut([], `${name} at ${all[name]?.at}: encrypted by Ansible Vault, and not read`)),
    ...templates.map((name) => leftOut([], `${name}: a template, which only Ansible evaluates`)),
    ...when(others.length > 0, leftOut([], `variables without a counterpart: ${shortList(others)}`)),
  ];
};
