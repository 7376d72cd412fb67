import { freeKubeletFields, ownKubeletFields } from '../components/kubelet-fields.js';
import { runsPods } from '../host-pods.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { hostsOf } from '../partial.js';
import { type FieldNames, fieldsBelow } from './fields.js';

/** Fields of the kubelet's configuration are known and free to set; what is about a kubelet is of hosts that have one. */
export const checkKubelet = (draft: PartialInventory): readonly InventoryError[] => [
  ...fieldsBelow(['kubernetes', 'kubelet'], draft.kubernetes?.kubelet, kubeletFields),
  ...hostsOf(draft).flatMap(([name, host]) => {
    const path = ['hosts', name];
    const known = Object.values(host.roles ?? {}).flatMap((role) => role ?? []);
    const style = draft.kubernetes?.controlPlane ?? 'static-pods';
    return known.length > 0 && !runsPods(known, style)
      ? (['kubelet', 'swap'] as const)
          .filter((key) => host[key] !== undefined)
          .map((key) => inventoryKeyError([...path, key], 'has no meaning: no kubelet runs on this host'))
      : fieldsBelow([...path, 'kubelet'], host.kubelet, kubeletFields);
  }),
];

const kubeletFields: FieldNames = { of: 'a KubeletConfiguration', free: freeKubeletFields, own: ownKubeletFields };
