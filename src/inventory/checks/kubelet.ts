import { runsPods } from '../host-pods.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import { freeKubeletFields, ownKubeletFields } from '../kubelet-fields.js';
import type { PartialInventory } from '../partial.js';
import { hostsOf } from '../partial.js';
import { type FieldNames, fieldsBelow } from './fields.js';

/** Fields of the kubelet's configuration are known, free to set, and of hosts that have a kubelet. */
export const checkKubelet = (draft: PartialInventory): readonly InventoryError[] => [
  ...fieldsBelow(['kubernetes', 'kubelet'], draft.kubernetes?.kubelet, kubeletFields),
  ...hostsOf(draft).flatMap(([name, { kubelet, roles }]) => {
    if (kubelet === undefined) return [];
    const path = ['hosts', name, 'kubelet'];
    const known = Object.values(roles ?? {}).flatMap((role) => role ?? []);
    const style = draft.kubernetes?.controlPlane ?? 'static-pods';
    return known.length > 0 && !runsPods(known, style)
      ? [inventoryKeyError(path, 'has no meaning: no kubelet runs on this host')]
      : fieldsBelow(path, kubelet, kubeletFields);
  }),
];

const kubeletFields: FieldNames = { of: 'a KubeletConfiguration', free: freeKubeletFields, own: ownKubeletFields };
