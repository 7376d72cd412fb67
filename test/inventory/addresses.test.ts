import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  compareAddresses,
  contains,
  isAddress,
  networkOf,
  nthAddress,
  nthSubnet,
  offsetOf,
  overlaps,
  parseCidr,
  prefixLength,
  subnetCount,
} from '../../src/inventory/addresses.js';

describe('what counts as an address', () => {
  test.each(['0.0.0.0', '10.1.2.3', '255.255.255.255'])('%s is one', (text) => expect(isAddress(text)).toBe(true));
  test.each([
    '',
    '1',
    '10.1',
    '010.0.0.1',
    '10.0.0.01',
    '0x0a.0.0.1',
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '::1',
    'not-an-ip',
  ])('%j is none', (text) => expect(isAddress(text)).toBe(false));
});

describe('what counts as a CIDR', () => {
  it('keeps the address as written beside the network', () =>
    expect(parseCidr('10.1.2.3/16')).toEqual({
      address: '10.1.2.3',
      network: '10.1.0.0',
      prefixLength: 16,
      size: 65536,
    }));
  test.each(['', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/-1', '10.1/8', '010.0.0.0/8', '/8'])(
    '%j is none',
    (text) => expect(parseCidr(text)).toBeUndefined(),
  );
});

describe('the ends of the range', () => {
  it('holds everything in 0.0.0.0/0', () => {
    expect(contains('0.0.0.0/0', '255.255.255.255')).toBe(true);
    expect(nthAddress('0.0.0.0/0', 2 ** 32 - 1)).toBe('255.255.255.255');
    expect(nthSubnet('0.0.0.0/0', 1, 1)).toBe('128.0.0.0/1');
  });
  it('has one address in a /32', () => {
    expect(nthAddress('10.0.0.1/32', 0)).toBe('10.0.0.1');
    expect(() => nthAddress('10.0.0.1/32', 1)).toThrow(RangeError);
  });
  it('has no subnet larger than itself', () => {
    expect(subnetCount('10.0.0.0/24', 16)).toBe(0);
    expect(() => nthSubnet('10.0.0.0/24', 16, 0)).toThrow(RangeError);
  });
});

describe('laws', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  const address = octets.map((parts) => parts.join('.'));
  const cidr = fc.tuple(address, fc.nat(32)).map(([text, length]) => networkOf(`${text}/${length}`));

  it('counting up and measuring back are inverse', () =>
    fc.assert(
      fc.property(cidr, fc.nat(), (network, seed) => {
        const n = seed % 2 ** (32 - prefixLength(network));
        expect(offsetOf(network, nthAddress(network, n))).toBe(n);
      }),
    ));

  it('an address lies in a network exactly when both have the same network', () =>
    fc.assert(
      fc.property(cidr, address, (network, text) => {
        expect(contains(network, text)).toBe(networkOf(`${text}/${prefixLength(network)}`) === network);
      }),
    ));

  it('subnets lie inside, and no two of them overlap', () =>
    fc.assert(
      fc.property(cidr, fc.nat(8), fc.nat(), fc.nat(), (network, bits, a, b) => {
        const length = Math.min(32, prefixLength(network) + bits);
        const count = subnetCount(network, length);
        const [first, second] = [nthSubnet(network, length, a % count), nthSubnet(network, length, b % count)];
        expect(contains(network, first) && contains(network, second)).toBe(true);
        expect(overlaps(first, second)).toBe(first === second);
      }),
    ));

  it('overlap does not depend on the order, and means that one holds the other', () =>
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(overlaps(a, b)).toBe(overlaps(b, a));
        expect(overlaps(a, b)).toBe(contains(a, b) || contains(b, a));
      }),
    ));

  it('clearing host bits twice is clearing them once', () =>
    fc.assert(
      fc.property(cidr, (network) => {
        expect(networkOf(network)).toBe(network);
      }),
    ));

  it('order is that of the octets', () =>
    fc.assert(
      fc.property(octets, octets, (a, b) => {
        const difference = a.map((octet, index) => octet - (b[index] ?? 0)).find((each) => each !== 0) ?? 0;
        expect(Math.sign(compareAddresses(a.join('.'), b.join('.')))).toBe(Math.sign(difference));
      }),
    ));
});
