import type { Cluster, ClusterHost, SshSettings } from '../../src/inventory/cluster.js';
import { ipv6PodsBeside } from '../../src/inventory/host-pods.js';
import { compileRoutes } from '../../src/network/routes.js';

/**
 * A cluster of two segments and four hosts, as if derived from an inventory: one control plane and one worker in the
 * office, one worker in the rack, one managed router between them. What `overrides` names is replaced whole.
 */
export const clusterOf = (overrides: Partial<Omit<Cluster, 'routes'>> = {}): Cluster => {
  const cluster = { ...hybrid, ...overrides };
  return { ...cluster, routes: compileRoutes(cluster) };
};

/** The same cluster with both families: 192.168.10.20 is fd00:192:168:10::20 too. */
export const withIpv6 = (cluster: Cluster, pods = 'fd00:10:244::/56'): Cluster => {
  const beside = (podCidr: string) => ipv6PodsBeside(podCidr, cluster.network.pods, { pods, nodePrefix: 64 });
  return clusterOf({
    ...cluster,
    network: {
      ...cluster.network,
      ipv6: {
        pods,
        services: 'fd00:10:254::/112',
        apiServiceAddress: 'fd00:10:254::1',
        dnsServiceAddress: 'fd00:10:254::a',
      },
      segments: cluster.network.segments.map(({ cidr, gateway, podCidr, ...segment }) => ({
        ...segment,
        cidr,
        ...(gateway === undefined ? {} : { gateway }),
        podCidr,
        ipv6: {
          cidr: `${ipv6Of(cidr.replace(/\.0\/24$/, '.0')).replace(/::0$/, '::')}/64`,
          ...(gateway === undefined ? {} : { gateway: ipv6Of(gateway) }),
          podCidr: beside(podCidr),
        },
      })),
    },
    hosts: cluster.hosts.map((host) => ({
      ...host,
      ipv6: {
        address: ipv6Of(host.address),
        addresses: Object.fromEntries(Object.entries(host.addresses).map(([name, each]) => [name, ipv6Of(each)])),
        ...(host.podCidr === undefined ? {} : { podCidr: beside(host.podCidr) }),
      },
    })),
  });
};

const ipv6Of = (address: string): string =>
  `fd00:${address.split('.').slice(0, 3).join(':')}::${address.split('.')[3]}`;

/** A worker without labels or taints, reached at its own address; what `host` names is replaced. */
export const hostOf = (
  host: Pick<ClusterHost, 'name' | 'address' | 'segment'> & Partial<ClusterHost>,
): ClusterHost => ({
  roles: ['worker'],
  addresses: {},
  labels: {},
  taints: [],
  ssh: sshTo(host.address),
  ...host,
});

const sshTo = (address: string): SshSettings => ({
  transport: 'ssh',
  address,
  port: 22,
  user: 'root',
  become: 'none',
  keys: [],
  knownHosts: '/nonexistent/known_hosts',
});

const hybrid: Omit<Cluster, 'routes'> = {
  name: 'hybrid',
  kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy: 'nftables' },
  domain: 'cluster.local',
  network: {
    pods: '10.244.0.0/16',
    services: '10.254.0.0/16',
    apiServiceAddress: '10.254.0.1',
    dnsServiceAddress: '10.254.0.10',
    segments: [
      {
        name: 'office',
        cidr: '192.168.10.0/24',
        gateway: '192.168.10.1',
        podCidr: '10.244.0.0/18',
        capacity: 64,
      },
      {
        name: 'rack',
        cidr: '192.168.20.0/24',
        gateway: '192.168.20.1',
        podCidr: '10.244.64.0/18',
        capacity: 64,
      },
    ],
  },
  endpoint: { host: '192.168.10.10', port: 6443 },
  upstreams: [],
  hostsUseDns: false,
  records: [],
  forwards: [],
  artifacts: { source: 'auto' },
  hosts: [
    hostOf({
      name: 'controller-00',
      address: '192.168.10.10',
      roles: ['control-plane'],
      segment: 'office',
      podCidr: '10.244.0.0/24',
      taints: ['node-role.kubernetes.io/control-plane:NoSchedule'],
    }),
    hostOf({ name: 'worker-office-00', address: '192.168.10.20', segment: 'office', podCidr: '10.244.1.0/24' }),
    hostOf({ name: 'worker-rack-00', address: '192.168.20.20', segment: 'rack', podCidr: '10.244.64.0/24' }),
    hostOf({
      name: 'edge',
      address: '192.168.10.1',
      roles: ['router'],
      segment: 'office',
      addresses: { office: '192.168.10.1', rack: '192.168.20.1' },
    }),
  ],
};
