import { compareAddresses, isAddress, nthAddress, parseCidr } from './addresses.js';

/** Addresses in a row, both ends included. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

/** `FIRST-LAST` or a CIDR; undefined where the text is neither, and where its last address comes before its first. */
export const parseRange = (text: string): AddressRange | undefined => {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return cidr.address === cidr.network ? rangeOf(text) : undefined;
  const [first = '', last = '', ...more] = text.split('-');
  if (more.length > 0 || !isAddress(first) || !isAddress(last) || compareAddresses(first, last) > 0) return undefined;
  return { first, last };
};

/** All addresses of a CIDR, its network and broadcast addresses among them. */
export const rangeOf = (cidr: string): AddressRange => ({
  first: nthAddress(cidr, 0),
  last: nthAddress(cidr, (parseCidr(cidr)?.size ?? 1) - 1),
});

/** Whether the address is one of the range. */
export const isIn = ({ first, last }: AddressRange, address: string): boolean =>
  compareAddresses(first, address) <= 0 && compareAddresses(address, last) <= 0;

/** Whether every address of the second is in the first. */
export const holds = (outer: AddressRange, { first, last }: AddressRange): boolean =>
  isIn(outer, first) && isIn(outer, last);

/** Whether the two share an address. */
export const share = (one: AddressRange, other: AddressRange): boolean =>
  isIn(one, other.first) || isIn(other, one.first);
