import { didYouMean } from '../did-you-mean.js';
import { dnsLabel, formatProblem } from '../formats.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { knownAddonNames } from '../schema.js';

/**
 * Names of add-ons are names of releases. A name that kbs does not know stands for a chart of the owner, which lies on
 * this machine; volumes need nodes.
 */
export const checkAddons = ({ addons = {} }: PartialInventory): readonly InventoryError[] =>
  Object.keys(addons).flatMap((name) => {
    if (knownAddonNames.some((known) => known === name)) return [];
    // What a name that is not known stands for; what of it could not be read is there as undefined.
    return ownErrors(name, addons[name] as PartialOwn | null | undefined);
  });

interface PartialOwn {
  readonly chart?: string | undefined;
  readonly namespace?: string | undefined;
}

const ownErrors = (name: string, own: PartialOwn | null | undefined): readonly InventoryError[] => {
  const path = ['addons', name];
  const meant = didYouMean(name, knownAddonNames);
  if (own === undefined || own === null) return [];
  if (!('chart' in own) && meant !== undefined) {
    return [inventoryKeyError(path, `is not known; did you mean ${meant}?`)];
  }
  if (!('chart' in own)) {
    const known = knownAddonNames.join(', ');
    return [
      inventoryKeyError(
        path,
        `is not known; known are ${known}; a chart of your own needs \`chart\` and \`namespace\``,
      ),
    ];
  }
  return [
    ...(dnsLabel.accepts(name) && name.length <= longest
      ? []
      : [
          inventoryKeyError(
            path,
            `the name ${name.length > longest ? `is longer than ${longest} letters` : formatProblem(dnsLabel, name)}`,
          ),
        ]),
    ...(own.chart !== undefined && /^(https?|oci):/.test(own.chart)
      ? [
          inventoryError(
            [...path, 'chart'],
            `${own.chart} is an address, and charts from repositories are not supported yet; fetch it (helm pull) and write the path`,
          ),
        ]
      : []),
    ...('namespace' in own
      ? []
      : [inventoryError([...path, 'namespace'], 'is missing; write a DNS label like my-app')]),
  ];
};

/** Of a release's name: see https://helm.sh/docs/topics/charts/ and ValidateReleaseName of helm. */
const longest = 53;
