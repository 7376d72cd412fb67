import { didYouMean } from '../did-you-mean.js';
import { dnsLabel, formatProblem, isOci } from '../formats.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { knownAddonNames } from '../schema/addons.js';

/** Names of add-ons are names of releases. A name that kbs does not know stands for a chart of the owner. */
export const checkAddons = ({ addons = {} }: PartialInventory): readonly InventoryError[] => [
  ...defaultErrors(addons),
  ...Object.keys(addons).flatMap((name) => {
    // What a name that is not known stands for; what of it could not be read is there as undefined.
    const written = addons[name] as PartialOwn | null | undefined;
    const isKnown = knownAddonNames.some((known) => known === name);
    return [...(isKnown ? [] : ownErrors(name, written)), ...chartErrors(name, written ?? {})];
  }),
];

/** Of two default classes Kubernetes takes the newer one. */
const defaultErrors = (addons: NonNullable<PartialInventory['addons']>): readonly InventoryError[] =>
  'storage' in addons && addons.storage?.default !== false && addons['nfs-storage']?.default === true
    ? [
        inventoryError(
          ['addons', 'nfs-storage', 'default'],
          'is true, and that of storage is too; write `storage: { default: false }`',
        ),
      ]
    : [];

interface PartialOwn extends PartialChart {
  readonly namespace?: string | undefined;
}

interface PartialChart {
  readonly chart?: string | undefined;
  readonly repository?: string | undefined;
  readonly version?: string | undefined;
  readonly sha256?: string | undefined;
}

/** A chart is a path, a name in a repository, or an address in a registry; only the last two have versions to choose from. */
const chartErrors = (name: string, written: PartialChart): readonly InventoryError[] => {
  const at = (key: keyof PartialChart) => ['addons', name, key];
  const { chart } = written;
  const isInRepository = 'repository' in written;
  if (chart === undefined) {
    const [key] = 'chart' in written ? [] : publishedKeys.filter((each) => each in written);
    return key === undefined
      ? []
      : [inventoryError(at(key), 'belongs to a `chart`; write its name, or its oci:// address')];
  }
  if (/^https?:/.test(chart)) {
    const says = `${chart} is an address; write the address of its repository as \`repository\`, the name as \`chart\`, and \`version\``;
    return [inventoryError(at('chart'), says)];
  }
  if (isOci(chart)) {
    return [
      ...(/^oci:\/\/[^\s/@]+(\/[a-z0-9._-]+)+$/.test(chart)
        ? []
        : [
            inventoryError(at('chart'), `${chart} is not like oci://example.com/charts/my-app; the tag is \`version\``),
          ]),
      ...(isInRepository ? [inventoryError(at('repository'), 'is for a chart that is not an oci:// address')] : []),
      ...versionErrors(name, written),
    ];
  }
  if (isInRepository) {
    return [
      ...(/^[A-Za-z0-9._-]+$/.test(chart)
        ? []
        : [inventoryError(at('chart'), `${chart} is no name of a chart in a repository; write one like my-app`)]),
      ...versionErrors(name, written),
    ];
  }
  return publishedKeys
    .filter((key) => key in written)
    .map((key) =>
      inventoryError(at(key), `is for a chart in a \`repository\` or at an oci:// address, and ${chart} is a path`),
    );
};

const publishedKeys = ['repository', 'version', 'sha256'] as const;

const versionErrors = (name: string, written: PartialChart): readonly InventoryError[] =>
  'version' in written ? [] : [inventoryError(['addons', name, 'version'], 'is missing; write one like 1.2.3')];

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
    ...('namespace' in own
      ? []
      : [inventoryError([...path, 'namespace'], 'is missing; write a DNS label like my-app')]),
  ];
};

/** Of a release's name: see https://helm.sh/docs/topics/charts/ and ValidateReleaseName of helm. */
const longest = 53;
