import { Failure } from '../failure.js';
import { nthSubnet, offsetOf, parseCidr, prefixLength } from '../inventory/addresses.js';
import { hostPodPrefixLength, hostRoom } from '../inventory/host-pods.js';

/** The pod network, divided into cells of one host CIDR each. */
export interface PrefixGrid {
  readonly pods: string;
  /** The prefix length of a host's CIDR. */
  readonly hostLength: number;
  /** The number of cells: a power of two. */
  readonly total: number;
}

/** Adjacent cells that form a CIDR: `size` is a power of two and divides `first`. */
export interface Block {
  readonly first: number;
  readonly size: number;
}

/** The grid of a pod network. Throws `inventory` where it is smaller than one host's CIDR. */
export const gridOf = (pods: string): PrefixGrid => {
  const hostLength = hostPodPrefixLength(pods);
  const total = hostRoom(pods);
  if (total > 0) return { pods, hostLength, total };
  throw new Failure('inventory', `The pod network ${pods} is too small for a single host`, {
    next: 'give network.pods at least a /26; a /16 is usual',
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

export const cellsOf = ({ first, size }: Block): readonly number[] => Array.from({ length: size }, (_, n) => first + n);

/** The block of that size which contains the cell. */
export const blockAround = (cell: number, size: number): Block => ({ first: cell - (cell % size), size });

export const includes = (outer: Block, inner: Block): boolean =>
  outer.first <= inner.first && inner.first + inner.size <= outer.first + outer.size;

export const overlap = (a: Block, b: Block): boolean => includes(a, b) || includes(b, a);

export const powerOfTwoFrom = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
