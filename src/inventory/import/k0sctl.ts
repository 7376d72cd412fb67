import { defined } from '../../defined.js';
import { isAddress } from '../addresses.js';
import { machineName } from './host-names.js';
import { hostRemarks, isKnownRole, settingsRemarks } from './k0sctl-remarks.js';
import { clusterShape, type K0sctlHost, type K0sSettings, settingsShape } from './k0sctl-shape.js';
import { readShape } from './shape.js';
import { leftOut, type ToolCluster, type ToolEndpoint, type ToolHost } from './tool-cluster.js';
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
      ipv6:
        network.dualStack?.enabled === true
          ? defined({ pods: network.dualStack.IPv6podCIDR, services: network.dualStack.IPv6serviceCIDR })
          : undefined,
      version,
      proxy: network.kubeProxy?.mode,
      flags: flagsOf(settings?.spec ?? {}),
      featureGates: gatesOf(settings?.spec ?? {}),
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
      ...settingsRemarks(settings?.spec ?? {}),
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

/** Undefined for a host that kbs cannot have. */
const hostOf = (written: K0sctlHost): ToolHost | undefined => {
  const { role, hostname, privateAddress, winRM, installFlags = [] } = written;
  if (winRM !== undefined) return undefined;
  const ssh = written.ssh ?? written.openSSH;
  const isLocal = ssh === undefined && written.localhost !== undefined;
  const jump = written.ssh?.bastion;
  const runsPods = role !== 'controller' || installFlags.includes('--enable-worker');
  return {
    ...defined({
      name: hostname ?? machineName(ssh?.address),
      address: privateAddress ?? ssh?.address,
      login: ssh?.address,
    }),
    roles: [
      ...(isKnownRole(role) && role !== 'worker' ? ['control-plane' as const] : []),
      ...(isKnownRole(role) && runsPods ? ['worker' as const] : []),
    ],
    ...marksOf(installFlags),
    ssh: isLocal
      ? { transport: 'local' }
      : defined({
          user: ssh === undefined ? undefined : (ssh.user ?? (written.ssh === undefined ? undefined : 'root')),
          port: ssh?.port,
          transport: written.openSSH === undefined ? undefined : ('openssh' as const),
          key: ssh?.keyPath,
          jump:
            jump === undefined
              ? undefined
              : defined({ host: jump.address, user: jump.user ?? 'root', port: jump.port, key: jump.keyPath }),
        }),
    remarks: hostRemarks(written),
  };
};

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

const flagsOf = ({ api, controllerManager, scheduler, storage }: K0sSettings): ToolCluster['flags'] =>
  defined({
    apiServer: api?.extraArgs,
    controllerManager: controllerManager?.extraArgs,
    scheduler: scheduler?.extraArgs,
    etcd: storage?.etcd?.extraArgs,
  });

const gatesOf = ({ featureGates = [] }: K0sSettings): ToolCluster['featureGates'] =>
  Object.fromEntries(featureGates.map(({ name, enabled = true }) => [name, enabled]));

const endpointOf = ({ api = {}, network }: K0sSettings): ToolEndpoint | undefined => {
  const { externalAddress, port, sans = [] } = api;
  const balancing = network?.controlPlaneLoadBalancing;
  const instances = (balancing?.enabled === true ? balancing.keepalived?.vrrpInstances : undefined) ?? [];
  const [virtual] = instances.flatMap(({ virtualIPs = [] }) => virtualIPs.map((cidr) => cidr.split('/')[0]));
  const outside = externalAddress === virtual ? undefined : externalAddress;
  const isName = outside !== undefined && !isAddress(outside);
  const external = outside !== undefined && virtual === undefined;
  const extraNames = sans.filter((san) => san !== virtual && san !== outside);
  const endpoint: ToolEndpoint = defined({
    name: isName ? outside : undefined,
    vip: virtual ?? (isName ? undefined : outside),
    port: external ? port : undefined,
    external: external ? true : undefined,
    extraNames: extraNames.length > 0 ? extraNames : undefined,
  });
  return Object.keys(endpoint).length > 0 ? endpoint : undefined;
};
