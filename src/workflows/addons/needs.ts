import { withNeeds } from '../../addons/index.js';
import { Failure, Failures } from '../../failure.js';
import type { Addon } from '../../inventory/cluster.js';
import { inventoryKeyError } from '../../inventory/inventory-error.js';
import { readSource } from '../../inventory/source.js';

/** Throws where an add-on of the inventory needs another one that is not in it. `file` is as the operator named it. */
export const requireNeeds = (addons: readonly Addon[], text: string, file: string): void => {
  const names = addons.map(({ name }) => name);
  const failures = names.flatMap((name) => {
    const missing = withNeeds([name]).filter((need) => !names.includes(need));
    if (missing.length === 0) return [];
    const says = inventoryKeyError(
      ['addons', name],
      `needs ${missing.join(' and ')}, which the inventory does not have`,
    );
    const { line, column, message } = readSource(text).locate(says);
    const where = { position: `${file}:${line}:${column}` };
    return [new Failure('inventory', message, { where, next: `add it: kbs addons install ${missing.join(' ')}` })];
  });
  if (failures.length > 0) throw new Failures(failures);
};
