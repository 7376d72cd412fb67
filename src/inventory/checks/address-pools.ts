import { contains } from '../addresses.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialInventory, PartialSegment } from '../partial.js';
import { allRead, complete, hasRole, hostsOf, segmentsOf } from '../partial.js';
import { type AddressRange, holds, isIn, parseRange, rangeOf, share } from '../ranges.js';
import { endOf } from './networks.js';

/**
 * The addresses for Services: each range is inside one segment, nothing else has its addresses, and a worker can answer
 * for them. DHCP ranges are inside their segments.
 */
export const checkAddressPools = (draft: PartialInventory): readonly InventoryError[] => {
  const pools = poolsIn(draft);
  return [
    ...segmentsOf(draft).flatMap(([name, segment]) => checkDhcp(name, segment)),
    ...pools.flatMap((pool) => checkPool(pool, draft)),
    ...pools.flatMap((pool, index) => checkEarlier(pool, pools.slice(0, index))),
    ...checkWorkers(pools, draft),
  ];
};

interface Pool {
  readonly path: Path;
  readonly text: string;
  readonly range: AddressRange;
}

/** Those that could be read. */
const poolsIn = ({ addons }: PartialInventory): readonly Pool[] => {
  const path = ['addons', 'load-balancer-services', 'pool'];
  const written = addons?.['load-balancer-services']?.pool;
  const texts = typeof written === 'string' ? [[path, written] as const] : itemsIn(path, written);
  return texts.flatMap(([at, text]) => {
    const range = text === undefined ? undefined : parseRange(text);
    return text === undefined || range === undefined ? [] : [{ path: at, text, range }];
  });
};

const itemsIn = (path: Path, list: object | undefined): readonly (readonly [Path, string | undefined])[] =>
  Object.entries(list ?? {}).map(([index, text]) => [[...path, Number(index)], text as string | undefined]);

const checkDhcp = (name: string, { cidr, dhcp }: PartialSegment): readonly InventoryError[] => {
  const range = dhcp === undefined ? undefined : parseRange(dhcp);
  return cidr === undefined || range === undefined || holds(rangeOf(cidr), range)
    ? []
    : [
        inventoryError(
          ['network', 'segments', name, 'dhcp'],
          `${dhcp} is not inside its segment ${cidr}; write the addresses that are handed out there`,
        ),
      ];
};

const checkPool = (pool: Pool, draft: PartialInventory): readonly InventoryError[] => {
  const segment = segmentOf(pool, draft);
  return segment === undefined
    ? checkPlace(pool, draft)
    : [...checkFree(pool, segment, draft), ...checkHandedOut(pool, segment)];
};

const checkPlace = ({ path, text }: Pool, draft: PartialInventory): readonly InventoryError[] => {
  if (!complete(draft.network?.segments, 'cidr')) return [];
  const networks = segmentsOf(draft).map(([name, { cidr }]) => `${name} (${cidr})`);
  return [inventoryError(path, `${text} is inside no segment; write a range of ${networks.join(' or ')}`)];
};

const checkFree = (
  { path, text, range }: Pool,
  segment: NamedSegment,
  draft: PartialInventory,
): readonly InventoryError[] => {
  const taken = takenAddresses(segment, draft).filter(([address]) => isIn(range, address));
  const said = taken.map(([address, owner]) => `${address}, ${owner}`).join('; ');
  return taken.length === 0 ? [] : [inventoryError(path, `${text} holds ${said}; write addresses that are free`)];
};

const checkHandedOut = ({ path, text, range }: Pool, [name, { dhcp }]: NamedSegment): readonly InventoryError[] => {
  const handedOut = dhcp === undefined ? undefined : parseRange(dhcp);
  return handedOut === undefined || !share(handedOut, range)
    ? []
    : [
        inventoryError(
          path,
          `${text} overlaps the addresses that DHCP hands out in segment ${name}, ${dhcp}; write others`,
        ),
      ];
};

type NamedSegment = readonly [name: string, segment: PartialSegment];

const segmentOf = ({ range }: Pool, draft: PartialInventory): NamedSegment | undefined =>
  segmentsOf(draft).find(([, { cidr }]) => cidr !== undefined && holds(rangeOf(cidr), range));

/** Addresses of a segment that something has, each once, with its owner in words. */
const takenAddresses = (
  [name, { cidr = '', gateway }]: NamedSegment,
  { endpoint, hosts }: PartialInventory,
): readonly (readonly [address: string, owner: string])[] => {
  const { first, last } = rangeOf(cidr);
  const ends = [first, last].flatMap((address) => {
    const end = endOf(cidr, address);
    return end === undefined ? [] : [[address, `the ${end} of segment ${name}`] as const];
  });
  const addresses = [
    ...hostsOf({ hosts }).flatMap(([host, { address, addresses = {} }]) =>
      [address, ...Object.values(addresses)].map((each) => [each, `the address of ${host}`] as const),
    ),
    [endpoint?.vip, 'endpoint.vip'] as const,
    [gateway, `the gateway of segment ${name}`] as const,
  ].flatMap(([address, owner]) => (address === undefined ? [] : [[address, owner] as const]));
  return [...new Map([...ends, ...addresses])];
};

const checkEarlier = ({ path, text, range }: Pool, earlier: readonly Pool[]): readonly InventoryError[] =>
  earlier
    .filter((other) => share(other.range, range))
    .slice(0, 1)
    .map((other) => inventoryError(path, `${text} overlaps ${other.text}, which is in the pool already`));

/** Only workers answer for addresses: the other nodes carry a label that keeps them out. */
const checkWorkers = (pools: readonly Pool[], draft: PartialInventory): readonly InventoryError[] => {
  const hosts = hostsOf(draft);
  if (!complete(draft.hosts, 'roles', 'address') || !hosts.every(([, { roles }]) => allRead(roles))) return [];
  const workers = hosts.filter(([, host]) => hasRole(host, 'worker'));
  const located = new Map(pools.toReversed().map((pool) => [segmentOf(pool, draft)?.[0], pool] as const));
  return [...located].flatMap(([name, { path, text }]) => {
    const cidr = name === undefined ? undefined : draft.network?.segments?.[name]?.cidr;
    const has = ([, { address }]: (typeof workers)[number]) =>
      cidr !== undefined && address !== undefined && contains(cidr, address);
    return cidr === undefined || workers.some(has)
      ? []
      : [inventoryError(path, `${text} is in segment ${name}, which has no worker to answer for its addresses`)];
  });
};
