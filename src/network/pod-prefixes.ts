import { Failure } from '../failure.js';
import {
  type Block,
  blockAround,
  blockOf,
  cellsOf,
  cidrOf,
  includes,
  overlap,
  type PrefixGrid,
  powerOfTwoFrom,
} from './prefix-grid.js';

export interface SegmentToPlan {
  readonly name: string;
  readonly cidr: string;
  /** A prefix that this segment keeps. */
  readonly pods?: string;
  /** The nodes; their addresses lie in `cidr`. */
  readonly hosts: readonly HostToPlan[];
}

export interface HostToPlan {
  readonly name: string;
  readonly address: string;
  /** A pod CIDR that this host keeps. */
  readonly podCIDR?: string;
}

/**
 * One block per segment, in the order given.
 *
 * The pod network has at least four equal parts (fewer only where it is tiny), always a power of two, and the segment
 * number i takes part i: adding segments up to the next power of two moves no host. Pinned prefixes, and the prefixes
 * around pinned hosts, are placed first. Where that leaves no room, the parts are halved until all segments fit.
 * Throws `inventory` where the smallest parts do not fit.
 */
export const carve = (grid: PrefixGrid, segments: readonly SegmentToPlan[]): readonly Block[] => {
  const claims = segments.map((segment) => claimOf(grid, segment));
  if (segments.some((segment) => roomFor(grid, segment) > grid.total)) throw noRoom(grid, segments, claims);
  requireSeparateClaims(grid, segments, claims);
  const parts = Math.max(powerOfTwoFrom(segments.length), grid.total >= 16 ? 4 : 1);
  for (let size = grid.total / parts; size >= 1; size /= 2) {
    const blocks = placeAll(grid, segments, claims, size);
    if (blocks !== undefined) return blocks;
  }
  throw noRoom(grid, segments, claims);
};

type Claims = readonly (Block | undefined)[];

/** The block that pins require: the pinned prefix, else the smallest block around the pinned hosts with room for all hosts. */
const claimOf = (grid: PrefixGrid, segment: SegmentToPlan): Block | undefined => {
  if (segment.pods !== undefined) return pinnedPrefix(grid, segment, segment.pods);
  const pins = pinsOf(grid, segment);
  const [first] = pins;
  if (first === undefined) return undefined;
  let block = blockAround(first.first, Math.min(grid.total, roomFor(grid, segment)));
  while (!pins.every((pin) => includes(block, pin))) block = blockAround(block.first, block.size * 2);
  return block;
};

const pinnedPrefix = (grid: PrefixGrid, segment: SegmentToPlan, prefix: string): Block => {
  const block = blockOf(grid, prefix);
  if (cidrOf(grid, block) === prefix && roomFor(grid, segment) <= block.size) return block;
  throw new Failure('inventory', `The pod prefix of segment ${segment.name} is too small for its hosts`, {
    why: [`${prefix} for ${segment.hosts.length} hosts with a /${grid.hostLength} each`],
    next: `widen network.segments.${segment.name}.pods`,
  });
};

const pinsOf = (grid: PrefixGrid, segment: SegmentToPlan): readonly Block[] =>
  segment.hosts.flatMap(({ podCIDR }) => (podCIDR === undefined ? [] : [blockOf(grid, podCIDR)]));

/** The size of the block that all hosts of the segment need. Several small pins may share a cell. */
const roomFor = (grid: PrefixGrid, segment: SegmentToPlan): number => {
  const pinned = new Set(pinsOf(grid, segment).flatMap(cellsOf));
  return powerOfTwoFrom(pinned.size + segment.hosts.filter(({ podCIDR }) => podCIDR === undefined).length);
};

const requireSeparateClaims = (grid: PrefixGrid, segments: readonly SegmentToPlan[], claims: Claims): void => {
  const claimed = segments.flatMap(({ name }, index) => {
    const block = claims[index];
    return block === undefined ? [] : [{ name, block }];
  });
  for (const [index, a] of claimed.entries()) {
    const b = claimed.slice(index + 1).find((other) => overlap(a.block, other.block));
    if (b === undefined) continue;
    throw new Failure('inventory', `The pins of segments ${a.name} and ${b.name} leave no prefix for each`, {
      why: [`${a.name} needs ${cidrOf(grid, a.block)} and ${b.name} needs ${cidrOf(grid, b.block)}`],
      next: 'pin the hosts of a segment inside one prefix that no other segment uses, or remove pins',
    });
  }
};

const placeAll = (
  grid: PrefixGrid,
  segments: readonly SegmentToPlan[],
  claims: Claims,
  part: number,
): readonly Block[] | undefined => {
  const blocks = [...claims];
  for (const [index, segment] of segments.entries()) {
    blocks[index] ??= freeBlock(grid, blocks, index * part, Math.max(part, roomFor(grid, segment)));
  }
  for (const [index, block] of blocks.entries()) {
    if (block === undefined) return undefined;
    if (segments[index]?.pods === undefined) blocks[index] = grow(block, blocks, part);
  }
  return blocks.filter((block) => block !== undefined);
};

const freeBlock = (grid: PrefixGrid, taken: Claims, from: number, size: number): Block | undefined => {
  for (let step = 0; step < grid.total; step += size) {
    const block = blockAround((from + step) % grid.total, size);
    if (!taken.some((other) => other !== undefined && overlap(block, other))) return block;
  }
  return undefined;
};

/** A segment with pinned hosts takes the whole part around them where no other segment uses it. */
const grow = (block: Block, taken: Claims, part: number): Block => {
  const grown = blockAround(block.first, Math.max(part, block.size));
  const alone = taken.every((other) => other === undefined || other === block || !overlap(grown, other));
  return alone ? grown : block;
};

const noRoom = (grid: PrefixGrid, segments: readonly SegmentToPlan[], claims: Claims): Failure =>
  new Failure('inventory', `The pod network ${grid.pods} has no room for every segment`, {
    why: [
      `It holds ${grid.total} hosts with a /${grid.hostLength} each, in aligned prefixes.`,
      ...segments.map((segment, index) => {
        const claim = claims[index];
        const kept = claim === undefined ? '' : `, and pins keep it in ${cidrOf(grid, claim)}`;
        return `Segment ${segment.name} has ${segment.hosts.length} hosts${kept}.`;
      }),
    ],
    next: 'widen network.pods, where pins keep their place, or remove pins',
  });
