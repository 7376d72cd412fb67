import { dnsLabel, formatProblem } from '../formats.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';

/** Names of hosts and segments are RFC 1123 labels, because they are used in DNS, certificates and node labels. */
export const checkNames = (draft: PartialInventory): readonly InventoryError[] => [
  ...namesBelow(['network', 'segments'], draft.network?.segments),
  ...namesBelow(['hosts'], draft.hosts),
];

const namesBelow = (path: Path, record: object | undefined): readonly InventoryError[] =>
  Object.keys(record ?? {})
    .filter((name) => !dnsLabel.accepts(name))
    .map((name) => inventoryKeyError([...path, name], `the name ${formatProblem(dnsLabel, name)}`));
