import { sh } from '../hosts/shell.js';
import { type Family, familyOf } from '../inventory/addresses.js';
import { namespaceFile, switchNamespace } from './paths.js';
import { shell } from './shell.js';
import { type HostSpec, hostAddresses, type LabSpec } from './spec.js';

/** Two hosts that nothing passes between, in the order of the lab's hosts. */
export type Partition = readonly [string, string];

/** By host: the CIDRs of its pods. Where they are unknown, only what hosts say themselves is cut across segments. */
export type PodCidrs = Readonly<Record<string, readonly string[]>>;

/**
 * The nftables rules that hold partitions, for the switch: outside the hosts, where nothing that a host does to its own
 * rules can undo them. Two hosts on one bridge are told apart by their plugs, whatever they send; what comes to a host
 * through a router, or leaves it for one, by its plug and the addresses at the far end. Replaces all that stood before.
 */
export const partitionRules = (spec: LabSpec, partitions: readonly Partition[], pods: PodCidrs): string => {
  const cleared = 'add table bridge partitions\ndelete table bridge partitions';
  if (partitions.length === 0) return cleared;
  const both = partitions.flatMap(([a, b]) => [
    [hostIn(spec, a), hostIn(spec, b)] as const,
    [hostIn(spec, b), hostIn(spec, a)] as const,
  ]);
  const plugPairs = both.flatMap(([from, to]) =>
    from.cables.flatMap(({ plug }) => to.cables.map((other) => `"${plug}" . "${other.plug}"`)),
  );
  const farEnds = (family: Family) =>
    both.flatMap(([near, far]) =>
      near.cables.flatMap(({ plug }) =>
        networksOf(far, pods)
          .filter((network) => familyOf(network) === family)
          .map((network) => `"${plug}" . ${network}`),
      ),
    );
  const byIpv6 = farEnds('ipv6');
  return `${cleared}
table bridge partitions {
  set plugs {
    type ifname . ifname
    elements = { ${plugPairs.join(', ')} }
  }
  set far {
    type ifname . ipv4_addr
    flags interval
    elements = { ${farEnds('ipv4').join(', ')} }
  }${byIpv6.length === 0 ? '' : farByIpv6(byIpv6)}
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @plugs drop
    iifname . ip daddr @far drop
    oifname . ip saddr @far drop${byIpv6.length === 0 ? '' : '\n    iifname . ip6 daddr @far6 drop\n    oifname . ip6 saddr @far6 drop'}
  }
}`;
};

const farByIpv6 = (ends: readonly string[]): string => `
  set far6 {
    type ifname . ipv6_addr
    flags interval
    elements = { ${ends.join(', ')} }
  }`;

/** The partitions of a lab, read from the kernel. None where the lab has no network. */
export const readPartitions = async (lab: string, spec: LabSpec): Promise<readonly Partition[]> => {
  const space = switchNamespace(lab);
  const json = await shell(
    'reading the partitions',
    sh`[ ! -e ${namespaceFile(space)} ] || ip netns exec ${space} nft -j list ruleset bridge`,
  );
  return json === '' ? [] : partitionsIn(json, spec);
};

/** The partitions in what `nft -j list ruleset bridge` says of these rules. */
export const partitionsIn = (json: string, spec: LabSpec): readonly Partition[] => {
  const { nftables } = JSON.parse(json) as { nftables: readonly { readonly set?: NftSet }[] }; // libnftables-json(5)
  const plugs = nftables.find(({ set }) => set?.table === 'partitions' && set.name === 'plugs')?.set;
  const pairs = (plugs?.elem ?? []).map(({ concat }) => concat.map((plug) => ownerOf(spec, plug)));
  return unique(
    spec,
    pairs.flatMap(([a, b]) => (a === undefined || b === undefined ? [] : [[a, b] as const])),
  );
};

/** The part of a set that is read here. */
interface NftSet {
  readonly table: string;
  readonly name: string;
  readonly elem?: readonly { readonly concat: readonly string[] }[];
}

/** Each pair once, its hosts and the pairs in the order of the lab's hosts. */
export const unique = (spec: LabSpec, pairs: readonly Partition[]): readonly Partition[] => {
  const names = spec.hosts.map(({ name }) => name);
  const marks = new Set(pairs.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  return names.flatMap((a, at) =>
    names.slice(at + 1).flatMap((b): Partition[] => (marks.has(`${a} ${b}`) ? [[a, b]] : [])),
  );
};

const networksOf = (host: HostSpec, pods: PodCidrs): readonly string[] => {
  const ipv6 = host.cables.flatMap(({ ipv6: address }) => (address === undefined ? [] : [address.replace(/\/.*/, '')]));
  return [...hostAddresses(host), ...ipv6, ...(pods[host.name] ?? [])];
};

const ownerOf = (spec: LabSpec, plug: string): string | undefined =>
  spec.hosts.find(({ cables }) => cables.some((cable) => cable.plug === plug))?.name;

const hostIn = (spec: LabSpec, name: string): HostSpec => {
  const host = spec.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) throw new RangeError(`the lab has no host ${name}`);
  return host;
};
