import { contains, networkOf } from '../addresses.js';

/** The network that hosts are in. */
export interface ImportedSegment {
  readonly name: string;
  readonly cidr: string;
  /** Nothing but the addresses of its hosts speaks for it. */
  readonly guessed: boolean;
}

/**
 * The segments of these addresses: the given networks that hold any, and a /24 for each of the others. A single one is
 * called `lan`, each of several after its network.
 */
export const segmentsOf = (addresses: readonly string[], given: readonly string[]): readonly ImportedSegment[] => {
  const cidrs = addresses.map((address) => given.find((cidr) => contains(cidr, address)) ?? networkOf(`${address}/24`));
  const unique = [...new Set(cidrs)];
  return unique.map((cidr) => ({
    name: unique.length === 1 ? 'lan' : `lan-${(cidr.split('/')[0] ?? '').replaceAll('.', '-')}`,
    cidr,
    guessed: !given.includes(cidr),
  }));
};
