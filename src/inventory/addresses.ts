import ipaddr from 'ipaddr.js';

/**
 * Arithmetic over text: addresses of IPv4 as four decimal parts and of IPv6 as RFC 5952 writes them, CIDRs as an address,
 * a slash and a prefix length. Only `parseCidr`, `isAddress` and their twins of IPv6 take text that a user wrote; the
 * others trust what those accepted, go by the family that the text shows, and throw a RangeError for anything else.
 */
export interface Cidr {
  /** The address as written, host bits included. */
  readonly address: string;
  /** The same with its host bits cleared. */
  readonly network: string;
  /** 0 to 32, of IPv6 to 128. */
  readonly prefixLength: number;
  /** How many addresses it holds, 2^(32 - prefixLength); a power of two is exact also where it is large. */
  readonly size: number;
}

export type Family = 'ipv4' | 'ipv6';

/** Of an address or a CIDR. */
export const familyOf = (addressOrCidr: string): Family => (addressOrCidr.includes(':') ? 'ipv6' : 'ipv4');

/** Where a default route leads. */
export const everywhere: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0/0', ipv6: '::/0' };

/** An IPv4 CIDR as a value, or undefined where the text is none. Host bits may be set: compare `address` and `network`. */
export const parseCidr = (text: string): Cidr | undefined => parse(text, 'ipv4');

/** The same of IPv6. */
export const parseIpv6Cidr = (text: string): Cidr | undefined => parse(text, 'ipv6');

/** Whether the text is an IPv4 address in its canonical form: no leading zeros (some read them as octal), four parts. */
export const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) && ipaddr.IPv4.parse(text).toString() === text;

/** Whether the text is an IPv6 address in its canonical form (RFC 5952), without a zone. */
export const isIpv6Address = (text: string): boolean => canonicalIpv6(text) === text;

/** An IPv6 address as RFC 5952 writes it; undefined where the text is none. */
export const canonicalIpv6 = (text: string): string | undefined =>
  ipaddr.IPv6.isValid(text) && !text.includes('%') ? ipaddr.IPv6.parse(text).toString() : undefined;

/** Whether every address of the second lies in the first; never so of two families. */
export const contains = (cidr: string, addressOrCidr: string): boolean => {
  if (familyOf(cidr) !== familyOf(addressOrCidr)) return false;
  const outer = range(cidr);
  const inner = range(addressOrCidr.includes('/') ? addressOrCidr : `${addressOrCidr}/${bitsOf(addressOrCidr)}`);
  return outer.first <= inner.first && inner.last <= outer.last;
};

/** Whether the two share an address. */
export const overlaps = (a: string, b: string): boolean => contains(a, b) || contains(b, a);

/** The address `n` after the first: 0 is the network address itself. */
export const nthAddress = (cidr: string, n: number): string => {
  const { first, last } = range(cidr);
  if (!Number.isInteger(n) || n < 0 || first + BigInt(n) > last) throw new RangeError(`${cidr} has no address ${n}`);
  return textOf(first + BigInt(n), familyOf(cidr));
};

/** The subnet `n` of that prefix length, counted from 0. */
export const nthSubnet = (cidr: string, length: number, n: number): string => {
  if (!Number.isInteger(n) || n < 0 || n >= subnetCount(cidr, length)) {
    throw new RangeError(`${cidr} has no /${length} number ${n}`);
  }
  const step = 1n << BigInt(bitsOf(cidr) - length);
  return `${textOf(range(cidr).first + BigInt(n) * step, familyOf(cidr))}/${length}`;
};

/** How many subnets of that prefix length fit: 0 where the length is shorter than the CIDR's own. */
export const subnetCount = (cidr: string, length: number): number =>
  length < prefixLength(cidr) || length > bitsOf(cidr) ? 0 : 2 ** (length - prefixLength(cidr));

export const prefixLength = (cidr: string): number => parsed(cidr).prefixLength;

/** How many addresses of IPv4 after the network address; the inverse of `nthAddress`. */
export const offsetOf = (cidr: string, address: string): number => {
  if (!contains(cidr, address)) throw new RangeError(`${address} is not in ${cidr}`);
  return Number(numberOf(address) - range(cidr).first);
};

/** The same CIDR with its host bits cleared: 10.1.2.3/16 gives 10.1.0.0/16. */
export const networkOf = (cidr: string): string => {
  const { network, prefixLength } = parsed(cidr);
  return `${network}/${prefixLength}`;
};

/** Numeric order within a family, for sort. */
export const compareAddresses = (a: string, b: string): number => {
  const difference = numberOf(a) - numberOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

const bits: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

const bitsOf = (addressOrCidr: string): number => bits[familyOf(addressOrCidr)];

const parse = (text: string, family: Family): Cidr | undefined => {
  const [, address, length] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const prefixLength = Number(length);
  if (address === undefined || prefixLength > bits[family]) return undefined;
  if (family === 'ipv4' ? !isAddress(address) : !isIpv6Address(address)) return undefined;
  const network = (family === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(text).toString();
  return { address, network, prefixLength, size: 2 ** (bits[family] - prefixLength) };
};

const parsed = (cidr: string): Cidr => {
  const value = parse(cidr, familyOf(cidr));
  if (value === undefined) throw new RangeError(`${cidr} is not a CIDR`);
  return value;
};

const range = (cidr: string): { readonly first: bigint; readonly last: bigint } => {
  const { network, prefixLength } = parsed(cidr);
  const first = numberOf(network);
  return { first, last: first + (1n << BigInt(bitsOf(cidr) - prefixLength)) - 1n };
};

const numberOf = (address: string): bigint => {
  if (familyOf(address) === 'ipv6' ? !isIpv6Address(address) : !isAddress(address)) {
    throw new RangeError(`${address} is not an address`);
  }
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((number, byte) => (number << 8n) + BigInt(byte), 0n);
};

const textOf = (number: bigint, family: Family): string => {
  const bytes = Array.from({ length: bits[family] / 8 }, (_, n) =>
    Number((number >> BigInt(bits[family] - 8 - 8 * n)) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
};
