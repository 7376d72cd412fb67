import { contains, overlaps, prefixLength, subnetCount } from '../addresses.js';
import { hostPodPrefixLength, hostRoom } from '../host-pods.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { hostsOf, isNode, networkOr, segmentHolding, segmentsOf } from '../partial.js';

/** The pod network: room for every host, and pins that can be kept. */
export const checkPodNetwork = (draft: PartialInventory): readonly InventoryError[] => {
  const pods = networkOr(draft, 'pods');
  const pins = [...segmentPins(draft), ...hostPins(draft)];
  return [
    ...(pods === undefined ? [] : [...checkRoom(draft, pods), ...pins.flatMap((pin) => checkFit(pin, pods))]),
    ...pins.flatMap((pin) => checkPlace(pin, pins)),
  ];
};

interface Pin {
  readonly path: Path;
  readonly cidr: string;
  /** The segment, where it is known. */
  readonly segment: string | undefined;
  readonly of: 'segment' | 'host';
}

const segmentPins = (draft: PartialInventory): readonly Pin[] =>
  segmentsOf(draft).flatMap(([name, { pods }]) =>
    pods === undefined
      ? []
      : [{ path: ['network', 'segments', name, 'pods'], cidr: pods, segment: name, of: 'segment' }],
  );

const hostPins = (draft: PartialInventory): readonly Pin[] =>
  hostsOf(draft).flatMap(([name, { podCIDR, address }]) => {
    const segment = address === undefined ? undefined : segmentHolding(draft, address)?.[0];
    return podCIDR === undefined ? [] : [{ path: ['hosts', name, 'podCIDR'], cidr: podCIDR, segment, of: 'host' }];
  });

const checkFit = ({ path, cidr, of }: Pin, pods: string): readonly InventoryError[] => {
  if (!contains(pods, cidr))
    return [inventoryError(path, `${cidr} is outside network.pods, ${pods}; write a part of that`)];
  const wanted = hostPodPrefixLength(pods);
  if (of === 'host' && prefixLength(cidr) !== wanted) {
    return [inventoryError(path, `${cidr} has the wrong size; every host has a /${wanted}`)];
  }
  return of === 'segment' && prefixLength(cidr) > wanted
    ? [inventoryError(path, `${cidr} is too small for a host, which has a /${wanted}; write that or larger`)]
    : [];
};

/** A host's pin lies in its own segment's, and otherwise no two pins share an address. */
const checkPlace = (pin: Pin, pins: readonly Pin[]): readonly InventoryError[] => {
  const own = pins.find((other) => pin.of === 'host' && other.of === 'segment' && other.segment === pin.segment);
  const outside =
    own !== undefined && !contains(own.cidr, pin.cidr)
      ? [
          inventoryError(
            pin.path,
            `${pin.cidr} is outside the pods of its segment, ${own.path.join('.')}, ${own.cidr}; write a part of that`,
          ),
        ]
      : [];
  const clashes = pins
    .slice(0, pins.indexOf(pin))
    .filter((other) => other !== own && overlaps(other.cidr, pin.cidr))
    .map((other) =>
      inventoryError(
        pin.path,
        `${pin.cidr} overlaps ${other.path.join('.')}, ${other.cidr}; no two may share an address`,
      ),
    );
  return [...outside, ...clashes];
};

/** Each segment gets one aligned prefix: a power of two of host prefixes, at least one. Powers of two pack without gaps. */
const checkRoom = (draft: PartialInventory, pods: string): readonly InventoryError[] => {
  const needs = segmentsOf(draft).map(([name, { pods: pin }]) => needOf(draft, pods, name, pin));
  const total = needs.reduce((sum, { size }) => sum + size, 0);
  return [
    ...needs
      .filter(({ hosts, size }) => size > 0 && hosts > size)
      .map(({ name, pin, hosts, size }) =>
        inventoryError(
          ['network', 'segments', name, 'pods'],
          `${pin} has room for ${counted(size)}, and the segment has ${hosts}; write a larger one`,
        ),
      ),
    ...(total <= hostRoom(pods) ? [] : [tooSmall(pods, needs, total)]),
  ];
};

interface Need {
  readonly name: string;
  readonly pin: string | undefined;
  readonly hosts: number;
  /** How many hosts the segment's prefix has room for, or has to have. */
  readonly size: number;
}

const needOf = (draft: PartialInventory, pods: string, name: string, pin: string | undefined): Need => {
  const hosts = hostsOf(draft).filter(
    ([, host]) =>
      isNode(host, draft) && host.address !== undefined && segmentHolding(draft, host.address)?.[0] === name,
  ).length;
  const size = pin === undefined ? powerOfTwo(hosts) : subnetCount(pin, hostPodPrefixLength(pods));
  return { name, pin, hosts, size };
};

const tooSmall = (pods: string, needs: readonly Need[], total: number): InventoryError => {
  const list = needs.map(({ name, size }) => `${name} ${size}`).join(', ');
  const enough = [...Array(27).keys()].findLast((length) => hostRoom(`0.0.0.0/${length}`) >= total);
  return inventoryError(
    ['network', 'pods'],
    `${pods} has room for ${counted(hostRoom(pods))}, and the segments need ${total} (${list}); write a /${enough} or larger`,
  );
};

const counted = (hosts: number): string => (hosts === 1 ? 'one host' : `${hosts} hosts`);

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
