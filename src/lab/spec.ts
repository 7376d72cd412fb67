import { createHash } from 'node:crypto';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { nthAddress, overlaps, parseCidr, prefixLength } from '../inventory/addresses.js';
import type { Cluster, ClusterHost, LabMachine, Segment } from '../inventory/cluster.js';

/** The layout of a cluster on one machine: hosts, bridges and the cables between them. */
export interface LabSpec {
  readonly segments: readonly SegmentSpec[];
  readonly hosts: readonly HostSpec[];
  /** The lab's own router, with the gateway's address of every segment whose gateway no listed host holds. */
  readonly router: readonly Cable[];
}

export interface SegmentSpec {
  readonly name: string;
  readonly cidr: string;
  /** The bridge inside the switch. */
  readonly bridge: string;
  /** The switch's own address there, `address/length`: what hosts see when the operator connects to them. */
  readonly address: string;
}

export interface HostSpec {
  readonly name: string;
  readonly address: string;
  readonly segment: string;
  readonly cables: readonly Cable[];
  readonly gateway?: string;
  /** Of IPv6. */
  readonly ipv6Gateway?: string;
  readonly user: string;
  readonly sshPort: number;
  /** What the inventory's SSH settings call this host; most often its address. */
  readonly sshAddress: string;
  /** Whether it looks as if it had GPUs, of that vendor. */
  readonly gpu?: 'nvidia';
  /** Absent for a container on this machine's kernel. */
  readonly guest?: GuestSpec;
}

/** A virtual machine. */
export interface GuestSpec {
  readonly image: GuestImage;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
}

export type GuestImage = NonNullable<LabMachine['image']>;

/** `link` in the host, `plug` in the switch, on a bridge: a veth pair, or a guest's network card and its tap. */
export interface Cable {
  readonly link: string;
  readonly plug: string;
  readonly bridge: string;
  /** `address/length`. */
  readonly address: string;
  /** The same of IPv6, in a cluster of both families. */
  readonly ipv6?: string;
  readonly mac: string;
}

/** The layout of a cluster that was checked before: every address lies in its segment, names and addresses differ. */
export const specOf = (cluster: Cluster): LabSpec => {
  const { segments } = cluster.network;
  return {
    segments: segments.map((segment, index) => ({
      name: segment.name,
      cidr: segment.cidr,
      bridge: bridgeName(index),
      address: within(segment, spareAddress(cluster, segment)),
    })),
    hosts: cluster.hosts.map((host, index) => hostSpec(cluster, host, index)),
    router: ownerless(cluster).map((segment, index) =>
      cable(cluster, 'router', `r${index}`, segment, [segment.gateway, segment.ipv6?.gateway], index),
    ),
  };
};

const hostSpec = (cluster: Cluster, host: ClusterHost, index: number): HostSpec => {
  const gateway = gatewayOf(cluster, host);
  const ipv6Gateway = ipv6GatewayOf(cluster, host);
  return {
    name: host.name,
    address: host.address,
    segment: host.segment,
    cables: addressesOf(host).map(([name, address], port) => {
      const segment = segmentNamed(cluster, name);
      const both = [address, ipv6AddressIn(name, host)] as const;
      return cable(cluster, `host ${host.name}`, `h${index}e${port}`, segment, both, port);
    }),
    ...defined({ gateway, ipv6Gateway }),
    user: host.ssh.user,
    sshPort: host.ssh.port,
    sshAddress: host.ssh.address,
    ...(host.gpu === 'nvidia' && host.lab?.platform !== 'vm' ? { gpu: host.gpu } : {}),
    ...defined({ guest: guestSpec(host) }),
  };
};

const guestSpec = ({ lab }: ClusterHost): GuestSpec | undefined => {
  if (lab?.platform !== 'vm') return undefined;
  const { image = 'debian-13', memory = 2048, cpus = 2 } = lab;
  return { image, memory, cpus };
};

/** A router's links come in the order of its addresses, its own segment's first. */
const addressesOf = (host: ClusterHost): readonly (readonly [string, string])[] => {
  const others = Object.entries(host.addresses).filter(([, address]) => address !== host.address);
  return [[host.segment, host.address], ...others];
};

/** The gateway of the first of its segments whose gateway the host is not itself. */
const gatewayOf = (cluster: Cluster, host: ClusterHost): string | undefined => {
  const own = addressesOf(host);
  return own
    .map(([name]) => segmentNamed(cluster, name).gateway)
    .find((gateway) => gateway !== undefined && !own.some(([, address]) => address === gateway));
};

const ipv6AddressIn = (segment: string, { ipv6, ...host }: ClusterHost): string | undefined =>
  ipv6?.addresses[segment] ?? (segment === host.segment ? ipv6?.address : undefined);

const ipv6GatewayOf = (cluster: Cluster, host: ClusterHost): string | undefined => {
  const own = addressesOf(host).flatMap(([name]) => {
    const address = ipv6AddressIn(name, host);
    return address === undefined ? [] : [{ address, gateway: segmentNamed(cluster, name).ipv6?.gateway }];
  });
  return own
    .map(({ gateway }) => gateway)
    .find((gateway) => gateway !== undefined && !own.some(({ address }) => address === gateway));
};

const ownerless = (cluster: Cluster): readonly (Segment & { readonly gateway: string })[] => {
  const owned = new Set(
    cluster.hosts.flatMap((host) =>
      addressesOf(host).flatMap(([name, address]) => [address, ipv6AddressIn(name, host) ?? []].flat()),
    ),
  );
  return cluster.network.segments.flatMap((segment) => {
    const { name, gateway, ipv6 } = segment;
    const hasNone = gateway === undefined || owned.has(gateway);
    if (ipv6?.gateway !== undefined && owned.has(ipv6.gateway) !== hasNone) {
      throw new Failure(
        'inventory',
        `the gateways of segment ${name}, ${gateway} and ${ipv6.gateway}, are two machines`,
        {
          why: ['one is a host of the inventory, and a lab has one router for both families'],
          next: 'for a lab, give the router that the inventory lists both addresses, or neither',
        },
      );
    }
    return hasNone ? [] : [{ ...segment, gateway }];
  });
};

const cable = (
  cluster: Cluster,
  owner: string,
  plug: string,
  segment: Segment,
  [address, ipv6]: readonly [string, string | undefined],
  port: number,
): Cable => ({
  link: `eth${port}`,
  plug,
  bridge: bridgeName(cluster.network.segments.findIndex(({ name }) => name === segment.name)),
  address: within(segment, address),
  ...(ipv6 === undefined || segment.ipv6 === undefined ? {} : { ipv6: within(segment.ipv6, ipv6) }),
  mac: macOf(`${cluster.name}/${owner}/${segment.name}`),
});

/** The highest host address of a segment that is free. */
const spareAddress = (cluster: Cluster, segment: Segment): string => {
  const taken = new Set([
    segment.gateway,
    cluster.endpoint.vip,
    cluster.endpoint.host,
    ...cluster.hosts.flatMap((host) => addressesOf(host).map(([, address]) => address)),
  ]);
  const { size = 0 } = parseCidr(segment.cidr) ?? {};
  for (let n = size - 2; n > 0; n -= 1) {
    const address = nthAddress(segment.cidr, n);
    if (!taken.has(address)) return address;
  }
  throw new Failure('inventory', `segment ${segment.name} (${segment.cidr}) has no address left for the lab's switch`, {
    next: 'a lab needs one more address in every segment: make it wider',
  });
};

const segmentNamed = (cluster: Cluster, name: string): Segment => {
  const segment = cluster.network.segments.find((candidate) => candidate.name === name);
  if (segment === undefined) throw new RangeError(`the cluster ${cluster.name} has no segment ${name}`);
  return segment;
};

/** Locally administered, unicast, and the same at every boot, as a real card's. */
const macOf = (text: string): string => {
  const bytes = createHash('sha256').update(text).digest('hex').slice(0, 10).match(/../g) ?? [];
  return ['02', ...bytes].join(':');
};

const bridgeName = (index: number): string => `seg${index}`;
const within = (segment: Pick<Segment, 'cidr'>, address: string): string => `${address}/${prefixLength(segment.cidr)}`;

/** All the addresses that a host answers at, the one that kbs uses first. */
export const hostAddresses = (host: HostSpec): readonly string[] =>
  host.cables.map(({ address }) => address.slice(0, address.indexOf('/')));

/** The segments of a lab that share addresses with a network, given as a CIDR. */
export const overlapping = (spec: LabSpec, cidr: string): readonly SegmentSpec[] =>
  spec.segments.filter((segment) => overlaps(segment.cidr, cidr));
