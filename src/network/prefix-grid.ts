import { Failure } from '../failure.js';
import { nthSubnet, offsetOf, parseCidr, prefixLength } from '../inventory/addresses.js';
import { hostPodPrefixLength, hostRoom } from '../inventory/host-pods.js';

/** The pod network, ruled into slots of one host CIDR each. */
export interface PrefixGrid {
  readonly pods: string;
  /** The prefix length of a host's CIDR. */
  readonly hostLength: number;
  /** How many slots there are: a power of two. */
  readonly total: number;
}

/** An aligned stretch of slots: `size` is a power of two and divides `first`. */
export interface Block {
  readonly first: number;
  readonly size: number;
}

/** Rules a pod network. Throws `inventory` where it is smaller than one host's CIDR. */
export const gridOf = (pods: string): PrefixGrid => {
  const hostLength = hostPodPrefixLength(pods);
  const total = hostRoom(pods);
  if (total > 0) return { pods, hostLength, total };
  throw new Failure('inventory', `The pod network ${pods} is too small for a single host`, {
    next: 'Give network.pods at least a /26; a /16 is usual.',
  });
};

/** The smallest block that holds the whole CIDR. */
export const blockOf = ({ pods, hostLength }: PrefixGrid, cidr: string): Block => {
  const network = parseCidr(cidr)?.network ?? cidr;
  return {
    first: Math.floor(offsetOf(pods, network) / 2 ** (32 - hostLength)),
    size: Math.max(1, 2 ** (hostLength - prefixLength(cidr))),
  };
};

export const cidrOf = ({ pods, hostLength }: PrefixGrid, { first, size }: Block): string =>
  nthSubnet(pods, hostLength - Math.log2(size), first / size);

export const slotsOf = ({ first, size }: Block): readonly number[] => Array.from({ length: size }, (_, n) => first + n);

/** The block of that size which holds `slot`. */
export const blockAround = (slot: number, size: number): Block => ({ first: slot - (slot % size), size });

export const holds = (outer: Block, inner: Block): boolean =>
  outer.first <= inner.first && inner.first + inner.size <= outer.first + outer.size;

export const meet = (a: Block, b: Block): boolean => holds(a, b) || holds(b, a);

export const powerOfTwoFrom = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
