import type { Draft, DraftHost } from '../draft.js';
import { allRead, complete, entries, hasRole, hostsOf, segmentHolding } from '../draft.js';
import type { Mistake, Path } from '../mistake.js';
import { mistake } from '../mistake.js';
import { endOf } from './networks.js';

/** Every host has an address of its own, in a segment, that a machine may have there. */
export const checkHostAddresses = (draft: Draft): readonly Mistake[] => [
  ...hostsOf(draft).flatMap(([name, host]) => checkPlace(draft, name, host)),
  ...checkDuplicates(draft),
];

const checkPlace = (draft: Draft, name: string, host: DraftHost): readonly Mistake[] => {
  const { address } = host;
  if (address === undefined) return [];
  const path = ['hosts', name, 'address'];
  const held = segmentHolding(draft, address);
  if (held === undefined) {
    const known = entries(draft.network?.segments).map(([segment, { cidr }]) => `${segment} ${cidr}`);
    // A segment that could not be read may well be the one.
    return complete(draft.network?.segments, 'cidr') && known.length > 0
      ? [mistake(path, `${address} is in no segment; they are ${known.join(', ')}`)]
      : [];
  }
  const [segment, { cidr = '', gateway }] = held;
  const end = endOf(cidr, address);
  if (end !== undefined)
    return [mistake(path, `${address} is the ${end} of segment ${segment}; write an address between its ends`)];
  return address === gateway && allRead(host.roles) && !hasRole(host, 'router')
    ? [
        mistake(
          path,
          `${address} is the gateway of segment ${segment}; write another address, or give the host the role router`,
        ),
      ]
    : [];
};

const checkDuplicates = (draft: Draft): readonly Mistake[] => {
  const owners = new Map<string, string>();
  return hostsOf(draft).flatMap(([name, host]) =>
    addressesOf(name, host).flatMap(({ path, address }) => {
      const owner = owners.get(address) ?? name;
      owners.set(address, owner);
      return owner === name ? [] : [mistake(path, `${address} is already the address of ${owner}; write another`)];
    }),
  );
};

/** A router repeats its `address` among its `addresses`; that counts once. */
const addressesOf = (name: string, host: DraftHost): readonly { readonly path: Path; readonly address: string }[] => [
  ...(host.address === undefined ? [] : [{ path: ['hosts', name, 'address'], address: host.address }]),
  ...entries(host.addresses)
    .filter(([, address]) => address !== host.address)
    .map(([segment, address]) => ({ path: ['hosts', name, 'addresses', segment], address })),
];
