import { defined } from '../../defined.js';
import { contains, isAddress } from '../addresses.js';
import { resolveVersion } from '../version.js';
import { componentsOf } from './components.js';
import { endpointOf } from './endpoint.js';
import { asDnsLabel, hostNames } from './host-names.js';
import { type ImportedIpv6, ipv6Of } from './ipv6.js';
import { loginRemarks, sharedRemarks, sharedSsh, withoutUsualPort } from './logins.js';
import { segmentRemarks, segmentsOf } from './segments.js';
import {
  decide,
  leftOut,
  type NamedHost,
  note,
  type Remark,
  type ToolCluster,
  type ToolSsh,
  toolNames,
  when,
} from './tool-cluster.js';

export interface ImportOptions {
  /** The Kubernetes versions of the catalogue, the newest first. */
  readonly versions: readonly string[];
  /** Networks that the operator names, as CIDRs. */
  readonly segments?: readonly string[];
  /** The cluster's name, in place of the one that was read. */
  readonly name?: string;
}

/** An inventory as plain data, in the order in which it is written, with what there is to say of it. */
export interface Draft {
  readonly inventory: Readonly<Record<string, unknown>>;
  readonly remarks: readonly Remark[];
}

/** The inventory of a cluster that another tool describes. */
export const toInventory = (cluster: ToolCluster, options: ImportOptions): Draft => {
  const tool = toolNames[cluster.tool];
  const hosts = named(cluster);
  const addresses = hosts.flatMap(({ address = '' }) => (isAddress(address) ? [address] : []));
  const segments = segmentsOf(addresses, options.segments ?? []);
  const version = versionFor(cluster.version, options.versions);
  const components = componentsOf(cluster);
  const endpoint = endpointOf(tool, cluster.endpoint, hosts, segments);
  const ssh = sharedSsh(hosts);
  const repeated = sharedRemarks(hosts);
  const ipv6 = ipv6Of(tool, cluster, hosts, segments, ({ address = '' }) =>
    isAddress(address) ? segments.find(({ cidr }) => contains(cidr, address))?.name : undefined,
  );
  return {
    inventory: defined({
      apiVersion: 'kbs/v1',
      cluster: asDnsLabel(options.name ?? cluster.name) || 'cluster',
      kubernetes: defined({
        version,
        proxy: proxies.find((mode) => mode === cluster.proxy),
        ...components.is,
      }),
      network: defined({
        pods: ofIpv4(cluster.pods),
        services: ofIpv4(cluster.services),
        domain: cluster.domain === 'cluster.local' ? undefined : cluster.domain,
        ipv6: ipv6.network,
        segments:
          segments.length > 0
            ? Object.fromEntries(segments.map(({ name, cidr }) => [name, defined({ cidr, ipv6: ipv6.segment(name) })]))
            : null,
      }),
      endpoint: endpoint.is,
      dns: cluster.upstreams && { upstreams: cluster.upstreams },
      ssh: Object.keys(ssh).length > 0 ? ssh : undefined,
      proxy: cluster.pullProxy,
      registries: cluster.registries,
      hosts: Object.fromEntries(hosts.map((host) => [host.as, hostEntry(host, endpoint.holders, ssh, ipv6)])),
    }),
    remarks: [
      ...cluster.remarks,
      ...clusterRemarks(tool, cluster, options.versions),
      ...components.remarks,
      ...segmentRemarks(tool, segments),
      ...ipv6.remarks,
      ...endpoint.remarks,
      ...when(
        hosts.some(({ name }) => name === undefined),
        note(['hosts'], `${tool} names no hosts: names with numbers are yours to change before kbs init`),
      ),
      ...loginRemarks(tool, hosts),
      ...repeated,
      ...hosts.flatMap((host) => hostRemarks(tool, host, repeated)),
    ],
  };
};

const named = ({ hosts }: ToolCluster): readonly NamedHost[] => {
  const names = hostNames(
    hosts.map(({ name, roles }) => ({
      written: name,
      role: roles.includes('control-plane') ? 'controller' : 'worker',
    })),
  );
  return hosts.map((host, index) => ({ ...host, ssh: withoutUsualPort(host.ssh), as: names[index] ?? '' }));
};

/** The version, the newest of its minor, or the newest that is known. */
const versionFor = (version: string | undefined, known: readonly string[]): string | undefined => {
  if (version !== undefined && known.includes(version)) return version;
  const minor = version?.split('.').slice(0, 2).join('.') ?? '';
  return resolveVersion(minor, known) ?? known[0];
};

const proxies = ['nftables', 'iptables', 'ipvs'] as const;

/** Of `10.42.0.0/16,fd00::/56` the part of IPv4. */
const ofIpv4 = (cidrs: string | undefined): string | undefined =>
  cidrs?.split(/\s*,\s*/).find((cidr) => !cidr.includes(':')) ?? cidrs;

const clusterRemarks = (tool: string, { version, proxy }: ToolCluster, known: readonly string[]): readonly Remark[] => [
  ...when(
    version === undefined,
    note(['kubernetes', 'version'], `${tool} names no version; this is the newest that kbs has`),
  ),
  ...when(
    version !== undefined && !known.includes(version),
    leftOut(['kubernetes', 'version'], `version ${version}: kbs has ${known.join(', ')}`),
  ),
  ...when(
    proxy !== undefined && !proxies.some((mode) => mode === proxy),
    leftOut(['kubernetes', 'proxy'], `kube-proxy in the mode ${proxy}: kbs has ${proxies.join(', ')}`),
  ),
];

const hostEntry = (
  host: NamedHost,
  holders: readonly string[],
  shared: ToolSsh,
  ipv6: ImportedIpv6,
): Readonly<Record<string, unknown>> => {
  const { address = '', roles, labels, taints, as } = host;
  const ssh = Object.entries(host.ssh).filter(([setting]) => !Object.hasOwn(shared, setting));
  return defined({
    address: isAddress(address) ? address : undefined,
    ipv6: ipv6.host(host),
    roles: holders.includes(as) ? [...roles, 'load-balancer'] : roles,
    labels,
    taints,
    ssh: ssh.length > 0 ? Object.fromEntries(ssh) : undefined,
  });
};

const hostRemarks = (tool: string, host: NamedHost, repeated: readonly Remark[]): readonly Remark[] => {
  const { name, address = '', login, ssh, as, remarks } = host;
  const path = ['hosts', as];
  return [
    ...when(name !== undefined && name !== as, note(path, `${name} in ${tool}; names here are DNS labels`)),
    ...when(
      !isAddress(address),
      decide(
        [...path, 'address'],
        `the IPv4 address${address === '' ? '' : `: ${tool} has ${address}`}`,
        'address: ADDRESS',
      ),
    ),
    ...when(
      isAddress(address) && login !== undefined && login !== address && ssh.transport !== 'local',
      note(
        [...path, 'address'],
        `${tool} logs in at ${login}, kbs at the address: write Host ${address} with HostName ${login} into ~/.ssh/config, or a jump host here`,
      ),
    ),
    ...remarks
      .filter(({ text }) => !repeated.some((other) => other.text === text))
      .map((remark) => ({ ...remark, path: [...path, ...remark.path] })),
  ];
};
