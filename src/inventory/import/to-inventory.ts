import { defined } from '../../defined.js';
import { contains, isAddress } from '../addresses.js';
import { resolveVersion } from '../version.js';
import { asDnsLabel, hostNames } from './host-names.js';
import { type ImportedSegment, segmentsOf } from './segments.js';
import {
  decide,
  leftOut,
  note,
  type Remark,
  type ToolCluster,
  type ToolHost,
  type ToolSsh,
  toolNames,
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
  const names = hostNames(
    cluster.hosts.map(({ name, roles }) => ({
      written: name,
      role: roles.includes('control-plane') ? 'controller' : 'worker',
    })),
  );
  const hosts = cluster.hosts.map(
    (host, index): Named => ({
      ...host,
      ssh: withoutUsualPort(host.ssh),
      as: names[index] ?? '',
    }),
  );
  const segments = segmentsOf(
    hosts.flatMap(({ address = '' }) => (isAddress(address) ? [address] : [])),
    options.segments ?? [],
  );
  const version = versionOf(cluster, options.versions);
  const endpoint = endpointOf(cluster, hosts, segments);
  const shared = sharedSsh(hosts);
  const name = asDnsLabel(options.name ?? cluster.name) || 'cluster';
  return {
    inventory: defined({
      apiVersion: 'kbs/v1',
      cluster: name,
      kubernetes: defined({ version: version.is, ...proxyOf(cluster).is, kubelet: cluster.kubelet }),
      network: defined({
        pods: onlyIpv4(cluster.pods),
        services: onlyIpv4(cluster.services),
        domain: cluster.domain === 'cluster.local' ? undefined : cluster.domain,
        segments:
          segments.length === 0
            ? null
            : Object.fromEntries(segments.map((segment) => [segment.name, { cidr: segment.cidr }])),
      }),
      endpoint: endpoint.is,
      dns: cluster.upstreams && { upstreams: cluster.upstreams },
      ssh: Object.keys(shared).length > 0 ? shared : undefined,
      proxy: cluster.pullProxy,
      registries: cluster.registries,
      hosts: Object.fromEntries(hosts.map((host) => [host.as, hostOf(host, endpoint.holders, shared)])),
    }),
    remarks: [
      ...cluster.remarks,
      ...version.remarks,
      ...proxyOf(cluster).remarks,
      ...networkRemarks(cluster),
      ...segmentRemarks(cluster, segments),
      ...endpoint.remarks,
      ...(hosts.some((host) => host.name === undefined)
        ? [
            note(
              ['hosts'],
              `${toolNames[cluster.tool]} names no hosts: names with numbers are yours to change before kbs init`,
            ),
          ]
        : []),
      ...loginRemarks(cluster),
      ...sharedRemarks(hosts),
      ...hosts.flatMap((host) => hostRemarks(cluster, host, sharedRemarks(hosts))),
    ],
  };
};

type Named = ToolHost & { readonly as: string };

const versionOf = (
  { tool, version }: ToolCluster,
  known: readonly string[],
): { is?: string; remarks: readonly Remark[] } => {
  const [newest] = known;
  if (version !== undefined && known.includes(version)) return { is: version, remarks: [] };
  const path = ['kubernetes', 'version'];
  const remarks =
    version === undefined
      ? [note(path, `${toolNames[tool]} names no version; this is the newest that kbs has`)]
      : [leftOut(path, `version ${version}: kbs has ${known.join(', ')}`)];
  const minor = version?.split('.').slice(0, 2).join('.');
  const is = (minor === undefined ? undefined : resolveVersion(minor, known)) ?? newest;
  return { ...(is === undefined ? {} : { is }), remarks };
};

const proxyOf = ({ proxy }: ToolCluster): { is: { proxy?: string }; remarks: readonly Remark[] } => {
  if (proxy === undefined) return { is: {}, remarks: [] };
  if (['nftables', 'iptables', 'ipvs'].includes(proxy)) return { is: { proxy }, remarks: [] };
  return {
    is: {},
    remarks: [leftOut(['kubernetes', 'proxy'], `kube-proxy in the mode ${proxy}: kbs has nftables, iptables and ipvs`)],
  };
};

/** Of `10.42.0.0/16,fd00::/56` the part that kbs has. */
const onlyIpv4 = (cidrs: string | undefined): string | undefined =>
  cidrs
    ?.split(',')
    .map((cidr) => cidr.trim())
    .find((cidr) => !cidr.includes(':')) ?? cidrs;

const networkRemarks = ({ pods, services }: ToolCluster): readonly Remark[] =>
  Object.entries({ pods, services }).flatMap(([field, cidrs = '']) =>
    cidrs.includes(',') ? [leftOut(['network', field], `${cidrs}: kbs has IPv4 alone`)] : [],
  );

const segmentRemarks = ({ tool }: ToolCluster, segments: readonly ImportedSegment[]): readonly Remark[] => {
  const path = ['network', 'segments'];
  if (segments.length === 0) {
    return [
      decide(
        [...path, 'lan'],
        'the network that the hosts are in: none has an IPv4 address here',
        'lan: { cidr: CIDR }',
      ),
    ];
  }
  const guessed = segments.filter((segment) => segment.guessed);
  const gateways =
    segments.length === 1
      ? []
      : segments.map(({ name }) =>
          decide(
            [...path, name, 'gateway'],
            `the router's address in ${name}: ${toolNames[tool]} does not say it`,
            'gateway: ADDRESS',
          ),
        );
  return [
    ...(guessed.length > 0
      ? [
          decide(
            path,
            segments.length === 1
              ? 'a /24 by the addresses of the hosts; write the network as it is'
              : 'a /24 each by the addresses of the hosts; where several are one network, import again with --segment CIDR',
          ),
        ]
      : []),
    ...gateways,
  ];
};

interface Endpoint {
  readonly is?: Readonly<Record<string, unknown>>;
  /** The hosts that hold the virtual address. */
  readonly holders: readonly string[];
  readonly remarks: readonly Remark[];
}

const endpointOf = (
  { tool, endpoint }: ToolCluster,
  hosts: readonly Named[],
  segments: readonly ImportedSegment[],
): Endpoint => {
  const controlPlanes = hosts.filter(({ roles }) => roles.includes('control-plane'));
  const { vip, external } = endpoint ?? {};
  const segment = vip !== undefined && isAddress(vip) ? segments.find(({ cidr }) => contains(cidr, vip)) : undefined;
  const holders =
    vip === undefined || external === true || segment === undefined
      ? []
      : controlPlanes
          .filter(({ address = '' }) => isAddress(address) && contains(segment.cidr, address))
          .map(({ as }) => as);
  const held = holders.length > 0;
  const count = controlPlanes.length;
  const own = new Set(hosts.flatMap(({ address, login, as }) => [address, login, as]));
  const extraNames = endpoint?.extraNames?.filter((name) => !own.has(name) && !/^127\.|^localhost/.test(name)) ?? [];
  const is = defined({ ...endpoint, extraNames: extraNames.length > 0 ? extraNames : undefined });
  return {
    ...(Object.keys(is).length > 0 ? { is } : {}),
    holders,
    remarks: [
      ...(held
        ? [
            note(
              ['endpoint'],
              'the control planes of its segment hold the address: they have the role load-balancer, too',
            ),
          ]
        : []),
      ...(vip !== undefined && external !== true && !held
        ? [
            decide(
              ['endpoint', 'vip'],
              'no control plane is in the segment of this address; give a host there the role load-balancer',
            ),
          ]
        : []),
      ...(external === true
        ? [
            note(
              ['endpoint'],
              'a load balancer outside the cluster, which passes TCP to port 6443 of every control plane',
            ),
          ]
        : []),
      ...(count > 1 && vip === undefined && external !== true
        ? [
            decide(
              ['endpoint', 'vip'],
              `${count} control planes need a load balancer before them, and ${toolNames[tool]} names none: give one or two hosts the role load-balancer and the endpoint a free address of their segment, or write external: true and the name of yours`,
              `${Object.keys(is).length > 0 ? 'vip: ADDRESS' : 'endpoint: { vip: ADDRESS }'}`,
            ),
          ]
        : []),
      ...(count % 2 === 0 && count > 0
        ? [
            decide(
              ['hosts'],
              `${count} control planes make ${count} members of etcd; kbs has an odd number: take one away or add one`,
            ),
          ]
        : []),
      ...(count === 0 ? [decide(['hosts'], 'no host is a control plane; give one, or three, the role')] : []),
    ],
  };
};

/** Tools write the usual port, too. */
const withoutUsualPort = ({ port, ...ssh }: ToolSsh): ToolSsh => (port === 22 ? ssh : { ...ssh, ...defined({ port }) });

/** What all hosts say alike. A host that leaves a setting to ssh's own configuration keeps it open for itself. */
const sharedSsh = (hosts: readonly ToolHost[]): ToolSsh => {
  const [first, ...others] = hosts.map(({ ssh }) => ssh).filter(({ transport }) => transport !== 'local');
  const alike = Object.entries(first ?? {}).filter(([setting, value]) =>
    others.every((ssh) => JSON.stringify(ssh[setting as keyof ToolSsh]) === JSON.stringify(value)),
  );
  return Object.fromEntries(alike);
};

const hostOf = (host: Named, holders: readonly string[], shared: ToolSsh): Readonly<Record<string, unknown>> => {
  const { address = '', roles, labels, taints, as } = host;
  const ssh = Object.entries(host.ssh).filter(([setting]) => !Object.hasOwn(shared, setting));
  return defined({
    address: isAddress(address) ? address : undefined,
    roles: holders.includes(as) ? [...roles, 'load-balancer'] : roles,
    labels,
    taints,
    ssh: ssh.length > 0 ? Object.fromEntries(ssh) : undefined,
  });
};

/** Where kbs logs in otherwise than the tool does with the same words. */
const loginRemarks = ({ tool, hosts }: ToolCluster): readonly Remark[] => {
  const logins = hosts.map(({ ssh }) => ssh).filter(({ transport }) => transport !== 'local');
  const keys = logins.flatMap(({ key, jump }) => [key, typeof jump === 'object' ? jump.key : undefined]);
  return [
    ...(logins.some(({ user }) => user === undefined)
      ? [
          note(
            ['ssh'],
            `where no user is named, ${toolNames[tool]} logs in as you, and kbs as root or as ~/.ssh/config says`,
          ),
        ]
      : []),
    ...(keys.some((key) => key !== undefined && !/^[~/]/.test(key))
      ? [note(['ssh'], 'paths of keys start at the folder of this file')]
      : []),
  ];
};

/** What there is to say of logging in to every host alike, once. */
const sharedRemarks = (hosts: readonly ToolHost[]): readonly Remark[] => {
  const [first, ...others] = hosts.map(({ remarks }) => remarks);
  return (first ?? []).filter(
    (remark) =>
      remark.path[0] === 'ssh' &&
      others.every((remarks) => remarks.some(({ text, path }) => text === remark.text && path[0] === 'ssh')),
  );
};

const hostRemarks = ({ tool }: ToolCluster, host: Named, shared: readonly Remark[]): readonly Remark[] => {
  const { name, address, login, as, remarks } = host;
  const isPlain = address !== undefined && isAddress(address);
  return [
    ...(name === undefined || name === as
      ? []
      : [note(['hosts', as], `${name} in ${toolNames[tool]}; names here are DNS labels`)]),
    ...(isPlain
      ? []
      : [
          decide(
            ['hosts', as, 'address'],
            `the IPv4 address${address === undefined ? '' : `: ${toolNames[tool]} has ${address}`}`,
            'address: ADDRESS',
          ),
        ]),
    ...(isPlain && login !== undefined && login !== address && host.ssh.transport !== 'local'
      ? [
          note(
            ['hosts', as, 'address'],
            `${toolNames[tool]} logs in at ${login}, kbs at the address: write Host ${address} with HostName ${login} into ~/.ssh/config, or a jump host here`,
          ),
        ]
      : []),
    ...remarks
      .filter(({ text }) => !shared.some((other) => other.text === text))
      .map((remark) => ({ ...remark, path: ['hosts', as, ...remark.path] })),
  ];
};
