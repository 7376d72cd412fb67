import { contains } from '../addresses.js';
import { didYouMean } from '../did-you-mean.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialHost, PartialInventory } from '../partial.js';
import { allRead, complete, entries, hasRole, hostsOf, segmentsOf } from '../partial.js';
import { endOf } from './networks.js';

/** A router has an address in each segment that it names, and no other host has several. */
export const checkRouters = (draft: PartialInventory): readonly InventoryError[] =>
  hostsOf(draft).flatMap(([name, host]) => [...checkShape(name, host), ...checkAddresses(draft, name, host)]);

const checkShape = (name: string, host: PartialHost): readonly InventoryError[] => {
  const path = ['hosts', name, 'addresses'];
  if (host.roles === undefined) return [];
  if (!hasRole(host, 'router')) {
    return 'addresses' in host && allRead(host.roles)
      ? [inventoryKeyError(path, 'only a router has several addresses; remove them, or give the host the role router')]
      : [];
  }
  if (!('addresses' in host))
    return [inventoryError(path, 'is missing; write the address of the router in each segment that it joins')];
  const all = entries(host.addresses).map(([, address]) => address);
  return host.address !== undefined && complete(host.addresses) && !all.includes(host.address)
    ? [
        inventoryError(
          ['hosts', name, 'address'],
          `${host.address} is none of the router's addresses; write one of ${all.join(', ')}`,
        ),
      ]
    : [];
};

const checkAddresses = (draft: PartialInventory, name: string, host: PartialHost): readonly InventoryError[] => {
  const segments = new Map(segmentsOf(draft));
  const names = Object.keys(draft.network?.segments ?? {});
  return entries(host.addresses).flatMap(([segment, address]) => {
    const path = ['hosts', name, 'addresses', segment];
    if (names.length > 0 && !names.includes(segment)) {
      const meant = didYouMean(segment, names);
      const hint = meant === undefined ? `they are ${names.join(', ')}` : `did you mean ${meant}?`;
      return [inventoryKeyError(path, `there is no segment ${segment}; ${hint}`)];
    }
    const cidr = segments.get(segment)?.cidr;
    if (cidr === undefined) return [];
    if (!contains(cidr, address))
      return [
        inventoryError(path, `${address} is not in segment ${segment}, ${cidr}; write the router's address inside`),
      ];
    const end = endOf(cidr, address);
    // The router's own address is checked with those of the other hosts.
    return end === undefined || address === host.address
      ? []
      : [inventoryError(path, `${address} is the ${end} of segment ${segment}; write an address between its ends`)];
  });
};
