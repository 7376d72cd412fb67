import ipaddr from 'ipaddr.js';

/**
 * IPv4 arithmetic over text: addresses are four decimal parts, CIDRs an address, a slash and a prefix length.
 * Only `parseCidr`, `isAddress` and `networkOf` take text that a user wrote; the others trust what those accepted
 * and throw a RangeError for anything else.
 */
export interface Cidr {
  /** The address as written, host bits included. */
  readonly address: string;
  /** The same with its host bits cleared. */
  readonly network: string;
  /** 0 to 32. */
  readonly prefixLength: number;
  /** How many addresses it holds, 2^(32 - prefixLength). */
  readonly size: number;
}

/** A CIDR as a value, or undefined where the text is none. Host bits may be set: compare `address` and `network`. */
export const parseCidr = (text: string): Cidr | undefined => {
  const [, address, length] = /^([^/]+)\/(0|[1-9]\d?)$/.exec(text) ?? [];
  const prefixLength = Number(length);
  if (address === undefined || !isAddress(address) || prefixLength > 32) return undefined;
  const network = ipaddr.IPv4.networkAddressFromCIDR(text).toString();
  return { address, network, prefixLength, size: 2 ** (32 - prefixLength) };
};

/** Whether the text is an IPv4 address in its canonical form: no leading zeros (some read them as octal), four parts. */
export const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) && ipaddr.IPv4.parse(text).toString() === text;

/** Whether every address of the second lies in the first. */
export const contains = (cidr: string, addressOrCidr: string): boolean => {
  const outer = range(cidr);
  const inner = range(addressOrCidr.includes('/') ? addressOrCidr : `${addressOrCidr}/32`);
  return outer.first <= inner.first && inner.last <= outer.last;
};

/** Whether the two share an address. */
export const overlaps = (a: string, b: string): boolean => contains(a, b) || contains(b, a);

/** The address `n` after the first: 0 is the network address itself. */
export const nthAddress = (cidr: string, n: number): string => {
  const { first, last } = range(cidr);
  if (!Number.isInteger(n) || n < 0 || first + n > last) throw new RangeError(`${cidr} has no address ${n}`);
  return textOf(first + n);
};

/** The subnet `n` of that prefix length, counted from 0. */
export const nthSubnet = (cidr: string, length: number, n: number): string => {
  if (!Number.isInteger(n) || n < 0 || n >= subnetCount(cidr, length)) {
    throw new RangeError(`${cidr} has no /${length} number ${n}`);
  }
  return `${textOf(range(cidr).first + n * 2 ** (32 - length))}/${length}`;
};

/** How many subnets of that prefix length fit: 0 where the length is shorter than the CIDR's own. */
export const subnetCount = (cidr: string, length: number): number =>
  length < prefixLength(cidr) || length > 32 ? 0 : 2 ** (length - prefixLength(cidr));

export const prefixLength = (cidr: string): number => parsed(cidr).prefixLength;

/** How many addresses after the network address; the inverse of `nthAddress`. */
export const offsetOf = (cidr: string, address: string): number => {
  if (!contains(cidr, address)) throw new RangeError(`${address} is not in ${cidr}`);
  return numberOf(address) - range(cidr).first;
};

/** The same CIDR with its host bits cleared: 10.1.2.3/16 gives 10.1.0.0/16. */
export const networkOf = (cidr: string): string => {
  const { network, prefixLength } = parsed(cidr);
  return `${network}/${prefixLength}`;
};

/** Numeric order, for sort. */
export const compareAddresses = (a: string, b: string): number => numberOf(a) - numberOf(b);

const parsed = (cidr: string): Cidr => {
  const value = parseCidr(cidr);
  if (value === undefined) throw new RangeError(`${cidr} is not an IPv4 CIDR`);
  return value;
};

const range = (cidr: string): { readonly first: number; readonly last: number } => {
  const { network, size } = parsed(cidr);
  const first = numberOf(network);
  return { first, last: first + size - 1 };
};

const numberOf = (address: string): number => {
  if (!isAddress(address)) throw new RangeError(`${address} is not an IPv4 address`);
  return ipaddr.IPv4.parse(address).octets.reduce((number, octet) => number * 256 + octet, 0);
};

const textOf = (number: number): string =>
  new ipaddr.IPv4([24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256)).toString();
