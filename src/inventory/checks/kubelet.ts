import { didYouMean } from '../did-you-mean.js';
import { runsPods } from '../host-pods.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import { freeKubeletFields, ownKubeletFields } from '../kubelet-fields.js';
import type { PartialInventory } from '../partial.js';
import { hostsOf } from '../partial.js';

/** Fields of the kubelet's configuration are known, free to set, and of hosts that have a kubelet. */
export const checkKubelet = (draft: PartialInventory): readonly InventoryError[] => [
  ...fieldsBelow(['kubernetes', 'kubelet'], draft.kubernetes?.kubelet),
  ...hostsOf(draft).flatMap(([name, { kubelet, roles }]) => {
    if (kubelet === undefined) return [];
    const path = ['hosts', name, 'kubelet'];
    const known = Object.values(roles ?? {}).flatMap((role) => role ?? []);
    const style = draft.kubernetes?.controlPlane ?? 'static-pods';
    return known.length > 0 && !runsPods(known, style)
      ? [inventoryKeyError(path, 'has no meaning: no kubelet runs on this host')]
      : fieldsBelow(path, kubelet);
  }),
];

const fieldsBelow = (path: Path, fields: object | undefined): readonly InventoryError[] =>
  Object.keys(fields ?? {}).flatMap((name) => {
    const why = Object.hasOwn(ownKubeletFields, name) ? ownKubeletFields[name] : undefined;
    if (why !== undefined) return [inventoryKeyError([...path, name], `cannot be set here: ${why}`)];
    if (freeKubeletFields.includes(name)) return [];
    const meant = didYouMean(name, freeKubeletFields);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    return [inventoryKeyError([...path, name], `is no field of a KubeletConfiguration${hint}`)];
  });
