import { knownAddons, withNeeds } from '../../addons/index.js';
import { type Failure, Failures } from '../../failure.js';
import type { Cluster } from '../../inventory/cluster.js';
import { inventoryKeyError } from '../../inventory/inventory-error.js';
import { inventoryFailure } from '../inventory-failure.js';

/**
 * Throws where an add-on of the inventory needs another one that is not in it, or a newer Kubernetes. `file` is as the
 * operator named it.
 */
export const requireNeeds = (
  { addons = [], kubernetes: { version } }: Pick<Cluster, 'addons' | 'kubernetes'>,
  text: string,
  file: string,
): void => {
  const names = addons.map(({ name }) => name);
  const refuse = (name: string, says: string, next: string): Failure =>
    inventoryFailure(inventoryKeyError(['addons', name], says), text, file, { next });
  const failures = names.flatMap((name) => {
    const missing = withNeeds([name]).filter((need) => !names.includes(need));
    const { kubernetes: oldest, kubernetesBelow: below } = knownAddons.find((known) => known.name === name) ?? {};
    return [
      ...(missing.length === 0
        ? []
        : [
            refuse(
              name,
              `needs ${missing.join(' and ')}, which the inventory does not have`,
              `add it: kbs addons install ${missing.join(' ')}`,
            ),
          ]),
      ...(oldest === undefined || !isOlder(version, oldest)
        ? []
        : [
            refuse(
              name,
              `needs Kubernetes ${oldest} or newer, and the inventory has ${version}`,
              'take the add-on out of the inventory, or write a newer `kubernetes: version`',
            ),
          ]),
      ...(below === undefined || isOlder(version, below)
        ? []
        : [
            refuse(
              name,
              `is for Kubernetes older than ${below}, and the inventory has ${version}`,
              'take the add-on out of the inventory, or a chart of it that is for this version',
            ),
          ]),
    ];
  });
  if (failures.length > 0) throw new Failures(failures);
};

const isOlder = (version: string, oldest: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = oldest.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
};
