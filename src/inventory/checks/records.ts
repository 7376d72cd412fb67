import { isAddress } from '../addresses.js';
import { didYouMean, shortList } from '../did-you-mean.js';
import { formatProblem, recordName } from '../formats.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import { virtualAddress } from '../lan-services.js';
import type { PartialInventory } from '../partial.js';
import { entries, hasRole, hostsOf, rolesRead } from '../partial.js';

/** The records of the zone lead somewhere, and none has a name that kbs itself writes. */
export const checkRecords = (draft: PartialInventory): readonly InventoryError[] => {
  const records = entries(draft.dns?.records);
  const names = Object.keys(draft.dns?.records ?? {});
  return names.length === 0
    ? []
    : [
        ...checkServers(draft),
        ...names.flatMap((name) => checkName(draft, name)),
        ...records.flatMap(([name, value]) => checkValue(draft, name, value)),
      ];
};

const checkServers = (draft: PartialInventory): readonly InventoryError[] => {
  const path = ['dns', 'records'];
  const served = hostsOf(draft).some(([, host]) => hasRole(host, 'dns'));
  // Where there is a server, the missing zone is reported there.
  return served || !rolesRead(draft)
    ? []
    : [inventoryError(path, 'needs a host with the role dns, which answers for these names')];
};

const checkName = (draft: PartialInventory, name: string): readonly InventoryError[] => {
  const path = ['dns', 'records', name];
  if (!recordName.accepts(name)) return [inventoryKeyError(path, `the key ${formatProblem(recordName, name)}`)];
  const zone = draft.dns?.zone;
  if (zone !== undefined && name.endsWith(`.${zone}`)) {
    const relative = name.slice(0, -zone.length - 1);
    return [inventoryKeyError(path, `names are relative to the zone ${zone}; write ${relative}`)];
  }
  const owner = ownNames(draft).get(name);
  return owner === undefined
    ? []
    : [inventoryKeyError(path, `is already the name of ${owner}; write another, or take it away`)];
};

/** The names that kbs writes into the zone, relative to it, and what each is the name of. */
const ownNames = (draft: PartialInventory): ReadonlyMap<string, string> => {
  const { zone } = draft.dns ?? {};
  const api = draft.endpoint?.name;
  const apiName = zone !== undefined && api?.endsWith(`.${zone}`) ? [api.slice(0, -zone.length - 1)] : [];
  return new Map([
    ...hostsOf(draft).flatMap(([name, { addresses }]) =>
      entries(addresses).map(([segment]) => [`${name}-${segment}`, `${name} in segment ${segment}`] as const),
    ),
    ...hostsOf(draft).map(([name]) => [name, `the host ${name}`] as const),
    ...apiName.map((name) => [name, 'the API'] as const),
  ]);
};

const checkValue = (draft: PartialInventory, name: string, value: string): readonly InventoryError[] => {
  const path = ['dns', 'records', name];
  if (value === virtualAddress) {
    const { endpoint } = draft;
    return endpoint?.external === true && !('vip' in endpoint)
      ? [
          inventoryError(
            path,
            'VIP is the address of the endpoint, and endpoint.vip is missing; write it, or an address here',
          ),
        ]
      : [];
  }
  if (isAddress(value) || draft.hosts === undefined) return [];
  const hosts = Object.keys(draft.hosts);
  if (hosts.includes(value)) return [];
  const meant = didYouMean(value, [virtualAddress, ...hosts]);
  const hint = meant === undefined ? `write VIP, an address, or one of ${shortList(hosts)}` : `did you mean ${meant}?`;
  return [inventoryError(path, `${value} is neither an address nor a host; ${hint}`)];
};
