import { Failure } from '../failure.js';
import { compareAddresses, contains, offsetOf, overlaps, parseCidr } from '../inventory/addresses.js';
import { carve, type HostToPlan, type SegmentToPlan } from './pod-prefixes.js';
import { type Block, blockOf, cidrOf, gridOf, type PrefixGrid, slotsOf } from './prefix-grid.js';

export interface PodPlanInput {
  /** The pod network, canonical. */
  readonly pods: string;
  /** In the order of the inventory. */
  readonly segments: readonly SegmentToPlan[];
}

export interface PodPlan {
  /** `capacity`: how many hosts the segment's prefix has room for. */
  readonly segments: readonly { readonly name: string; readonly podCidr: string; readonly capacity: number }[];
  /** Pod CIDR by host name. */
  readonly hosts: Readonly<Record<string, string>>;
}

/**
 * Cuts the pod network into one aligned prefix per segment and one CIDR per host.
 *
 * A host's place follows from its own address, so it does not depend on the order of hosts, and a host that comes or
 * goes moves no other unless both want the same place. What is pinned stays. Throws `inventory` where it does not fit.
 */
export const planPods = ({ pods, segments }: PodPlanInput): PodPlan => {
  const grid = gridOf(pods);
  refuseBadPins(pods, segments);
  const blocks = carve(grid, segments);
  const planned = segments.map((segment, index) => ({ segment, block: blocks[index] ?? { first: 0, size: 1 } }));
  return {
    segments: planned.map(({ segment, block }) => ({
      name: segment.name,
      podCidr: cidrOf(grid, block),
      capacity: block.size,
    })),
    hosts: Object.fromEntries(planned.flatMap(({ segment, block }) => seat(grid, segment, block))),
  };
};

/** The hosts of both plans whose pod CIDR differs, in the order of `after`. Pin `was`, and they stay. */
export const movedHosts = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly { readonly host: string; readonly was: string; readonly would: string }[] =>
  Object.entries(after).flatMap(([host, would]) => {
    const was = before[host];
    return was === undefined || was === would ? [] : [{ host, was, would }];
  });

const refuseBadPins = (pods: string, segments: readonly SegmentToPlan[]): void => {
  for (const segment of segments) {
    if (segment.pods !== undefined) refuseUnlessIn(pods, segment.pods, `The pod prefix of segment ${segment.name}`);
  }
  const pins = segments.flatMap((segment) =>
    segment.hosts.flatMap(({ name, podCIDR }) => {
      if (podCIDR === undefined) return [];
      refuseUnlessIn(segment.pods ?? pods, podCIDR, `The pod CIDR of host ${name}`);
      return [{ name, cidr: podCIDR }];
    }),
  );
  // CIDRs nest or are apart: in sorted order, one that overlaps any other overlaps its neighbour.
  pins.sort((a, b) => compareAddresses(networkAddress(a.cidr), networkAddress(b.cidr)));
  for (const [index, pin] of pins.entries()) {
    const next = pins[index + 1];
    if (next === undefined || !overlaps(pin.cidr, next.cidr)) continue;
    throw new Failure('inventory', `Hosts ${pin.name} and ${next.name} are pinned to overlapping pod CIDRs`, {
      why: [`${pin.cidr} and ${next.cidr}`],
      next: 'Give each host a pod CIDR of its own, or remove a pin.',
    });
  }
};

const refuseUnlessIn = (outer: string, cidr: string, what: string): void => {
  const parsed = parseCidr(cidr);
  const network = parsed === undefined ? undefined : `${parsed.network}/${parsed.prefixLength}`;
  if (network === cidr && contains(outer, cidr)) return;
  const why =
    network === undefined
      ? `${cidr} is no IPv4 CIDR`
      : network === cidr
        ? `${cidr} is not in ${outer}`
        : `${cidr} has host bits set; its network is ${network}`;
  throw new Failure('inventory', `${what} does not fit`, { why: [why], next: `Choose a CIDR inside ${outer}.` });
};

const networkAddress = (cidr: string): string => cidr.slice(0, cidr.indexOf('/'));

/**
 * Hosts sit where their address puts them; two that want the same place are settled by order of address, and whoever
 * must give way takes the next free place once all others sit, so that nobody pushes a third away.
 */
const seat = (grid: PrefixGrid, segment: SegmentToPlan, block: Block): readonly (readonly [string, string])[] => {
  const seats = new Map<string, string>();
  const taken = new Set<number>();
  const sit = (host: HostToPlan, place: number): void => {
    taken.add(place);
    seats.set(host.name, cidrOf(grid, { first: block.first + place, size: 1 }));
  };
  const wanted = (host: HostToPlan): number => offsetOf(segment.cidr, host.address) % block.size;

  for (const { name, podCIDR } of segment.hosts) {
    if (podCIDR === undefined) continue;
    seats.set(name, podCIDR);
    for (const slot of slotsOf(blockOf(grid, podCIDR))) taken.add(slot - block.first);
  }
  const displaced: HostToPlan[] = [];
  for (const host of segment.hosts.filter(({ podCIDR }) => podCIDR === undefined).toSorted(byAddress)) {
    if (taken.has(wanted(host))) displaced.push(host);
    else sit(host, wanted(host));
  }
  for (const host of displaced) {
    let place = wanted(host);
    // Ends: the prefix was carved with room for every host.
    while (taken.has(place)) place = (place + 1) % block.size;
    sit(host, place);
  }
  return segment.hosts.map(({ name }) => [name, seats.get(name) ?? '']);
};

const byAddress = (a: HostToPlan, b: HostToPlan): number =>
  compareAddresses(a.address, b.address) || (a.name < b.name ? -1 : 1);
