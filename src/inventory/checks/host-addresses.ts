import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialHost, PartialInventory } from '../partial.js';
import { allRead, complete, entries, hasRole, hostsOf, segmentHolding } from '../partial.js';
import { endOf } from './networks.js';

/** Every host has its own usable address in a segment. */
export const checkHostAddresses = (draft: PartialInventory): readonly InventoryError[] => [
  ...hostsOf(draft).flatMap(([name, host]) => checkAddress(draft, name, host)),
  ...checkDuplicates(draft),
];

const checkAddress = (draft: PartialInventory, name: string, host: PartialHost): readonly InventoryError[] => {
  const { address } = host;
  if (address === undefined) return [];
  const path = ['hosts', name, 'address'];
  const held = segmentHolding(draft, address);
  if (held === undefined) {
    const known = entries(draft.network?.segments).map(([segment, { cidr }]) => `${segment} ${cidr}`);
    // A segment that could not be read may hold the address.
    return complete(draft.network?.segments, 'cidr') && known.length > 0
      ? [inventoryError(path, `${address} is in no segment; they are ${known.join(', ')}`)]
      : [];
  }
  const [segment, { cidr = '', gateway }] = held;
  const end = endOf(cidr, address);
  if (end !== undefined)
    return [inventoryError(path, `${address} is the ${end} of segment ${segment}; write an address between its ends`)];
  return address === gateway && allRead(host.roles) && !hasRole(host, 'router')
    ? [
        inventoryError(
          path,
          `${address} is the gateway of segment ${segment}; write another address, or give the host the role router`,
        ),
      ]
    : [];
};

const checkDuplicates = (draft: PartialInventory): readonly InventoryError[] => {
  const owners = new Map<string, string>();
  return hostsOf(draft).flatMap(([name, host]) =>
    addressesOf(name, host).flatMap(({ path, address }) => {
      const owner = owners.get(address) ?? name;
      owners.set(address, owner);
      return owner === name
        ? []
        : [inventoryError(path, `${address} is already the address of ${owner}; write another`)];
    }),
  );
};

/** A router repeats its `address` among its `addresses`; that counts once. */
const addressesOf = (name: string, host: PartialHost): readonly { readonly path: Path; readonly address: string }[] => [
  ...(host.address === undefined ? [] : [{ path: ['hosts', name, 'address'], address: host.address }]),
  ...entries(host.addresses)
    .filter(([, address]) => address !== host.address)
    .map(([segment, address]) => ({ path: ['hosts', name, 'addresses', segment], address })),
];
