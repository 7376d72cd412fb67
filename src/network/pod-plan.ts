import { Failure } from '../failure.js';
import { compareAddresses, contains, offsetOf, overlaps, parseCidr } from '../inventory/addresses.js';
import { carve, type HostToPlan, type SegmentToPlan } from './pod-prefixes.js';
import { type Block, blockOf, cellsOf, cidrOf, gridOf, type PrefixGrid } from './prefix-grid.js';

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
 * A host's cell follows from its own address, so it does not depend on the order of hosts, and a host that is added or
 * removed moves no other unless both prefer the same cell. What is pinned stays. Throws `inventory` where it does not
 * fit.
 */
export const planPods = ({ pods, segments }: PodPlanInput): PodPlan => {
  const grid = gridOf(pods);
  requireValidPins(pods, segments);
  const blocks = carve(grid, segments);
  const planned = segments.map((segment, index) => ({ segment, block: blocks[index] ?? { first: 0, size: 1 } }));
  return {
    segments: planned.map(({ segment, block }) => ({
      name: segment.name,
      podCidr: cidrOf(grid, block),
      capacity: block.size,
    })),
    hosts: Object.fromEntries(planned.flatMap(({ segment, block }) => assignCells(grid, segment, block))),
  };
};

/** The hosts of both plans whose pod CIDR differs, in the order of `after`. A host stays where `was` is pinned. */
export const movedHosts = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly { readonly host: string; readonly was: string; readonly would: string }[] =>
  Object.entries(after).flatMap(([host, would]) => {
    const was = before[host];
    return was === undefined || was === would ? [] : [{ host, was, would }];
  });

const requireValidPins = (pods: string, segments: readonly SegmentToPlan[]): void => {
  for (const segment of segments) {
    if (segment.pods !== undefined) requireInside(pods, segment.pods, `The pod prefix of segment ${segment.name}`);
  }
  const pins = segments.flatMap((segment) =>
    segment.hosts.flatMap(({ name, podCIDR }) => {
      if (podCIDR === undefined) return [];
      requireInside(segment.pods ?? pods, podCIDR, `The pod CIDR of host ${name}`);
      return [{ name, cidr: podCIDR }];
    }),
  );
  // Two CIDRs nest or are disjoint: in sorted order, one that overlaps any other overlaps its neighbour.
  pins.sort((a, b) => compareAddresses(networkAddress(a.cidr), networkAddress(b.cidr)));
  for (const [index, pin] of pins.entries()) {
    const next = pins[index + 1];
    if (next === undefined || !overlaps(pin.cidr, next.cidr)) continue;
    throw new Failure('inventory', `Hosts ${pin.name} and ${next.name} are pinned to overlapping pod CIDRs`, {
      why: [`${pin.cidr} and ${next.cidr}`],
      next: 'give each host a pod CIDR of its own, or remove a pin',
    });
  }
};

const requireInside = (outer: string, cidr: string, what: string): void => {
  const parsed = parseCidr(cidr);
  const network = parsed === undefined ? undefined : `${parsed.network}/${parsed.prefixLength}`;
  if (network === cidr && contains(outer, cidr)) return;
  const why =
    network === undefined
      ? `${cidr} is not an IPv4 CIDR`
      : network === cidr
        ? `${cidr} is not in ${outer}`
        : `${cidr} has host bits set; its network is ${network}`;
  throw new Failure('inventory', `${what} does not fit`, { why: [why], next: `choose a CIDR inside ${outer}` });
};

const networkAddress = (cidr: string): string => cidr.slice(0, cidr.indexOf('/'));

/**
 * A host gets the cell that its address prefers. Of two hosts that prefer the same one, the lower address gets it; the
 * other takes the next free cell, after all hosts with a free preferred cell, so that no collision causes another.
 */
const assignCells = (
  grid: PrefixGrid,
  segment: SegmentToPlan,
  block: Block,
): readonly (readonly [string, string])[] => {
  const assigned = new Map<string, string>();
  const taken = new Set<number>();
  const assign = (host: HostToPlan, cell: number): void => {
    taken.add(cell);
    assigned.set(host.name, cidrOf(grid, { first: block.first + cell, size: 1 }));
  };
  const preferred = (host: HostToPlan): number => offsetOf(segment.cidr, host.address) % block.size;

  for (const { name, podCIDR } of segment.hosts) {
    if (podCIDR === undefined) continue;
    assigned.set(name, podCIDR);
    for (const cell of cellsOf(blockOf(grid, podCIDR))) taken.add(cell - block.first);
  }
  const collided: HostToPlan[] = [];
  for (const host of segment.hosts.filter(({ podCIDR }) => podCIDR === undefined).toSorted(byAddress)) {
    if (taken.has(preferred(host))) collided.push(host);
    else assign(host, preferred(host));
  }
  for (const host of collided) {
    let cell = preferred(host);
    // Ends: the prefix was carved with room for every host.
    while (taken.has(cell)) cell = (cell + 1) % block.size;
    assign(host, cell);
  }
  return segment.hosts.map(({ name }) => [name, assigned.get(name) ?? '']);
};

const byAddress = (a: HostToPlan, b: HostToPlan): number =>
  compareAddresses(a.address, b.address) || (a.name < b.name ? -1 : 1);
