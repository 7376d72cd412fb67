import { stringify } from 'yaml';
import type { ListedAddon, ListedImage } from '../../workflows/addons/list.js';
import type { AddonStatus } from '../../workflows/addons/status.js';
import { colorsFor } from './color.js';
import { oneLine } from './printable.js';

/** The add-ons, those of the inventory marked. */
export function addonListText(addons: readonly ListedAddon[], verbose: boolean): string {
  const colors = colorsFor(process.stdout);
  const width = Math.max(0, ...addons.map(({ name }) => name.length));
  return addons
    .flatMap((addon) => [
      `${addon.isInInventory ? colors('green', '✔') : ' '} ${addon.name.padEnd(width)}  ${oneLine(`${addon.what}; ${originsOf(addon)}`)}`,
      ...(verbose ? details(addon).map((line) => `    ${' '.repeat(width)}${oneLine(line)}`) : []),
    ])
    .join('\n');
}

const originsOf = ({ images }: ListedAddon): string => {
  if (images === undefined) return 'images: cannot tell';
  const origins = new Set(images.map(({ from }) => from));
  const lacking = images.some((image) => image.lacking !== undefined) ? ' (not all can be had: -v says why)' : '';
  return `images: ${[...origins].join(', ')}${lacking}`;
};

const details = ({ chart, source, release, namespace, images, needs, kubernetes }: ListedAddon): readonly string[] => [
  `chart ${chart} from ${source}`,
  `release ${namespace}/${release}`,
  ...(images?.map(({ reference, from }) => `image ${reference} from ${from === 'bundle' ? 'the bundle' : from}`) ?? [
    'images: cannot tell, for the chart or values about images are yours',
  ]),
  ...lackingIn(images ?? []),
  ...(needs.length > 0 ? [`needs ${needs.join(', ')}`] : []),
  ...(kubernetes === undefined ? [] : [`Kubernetes ${kubernetes} or newer`]),
];

/** A line for each reason why images cannot be had. */
const lackingIn = (images: readonly ListedImage[]): readonly string[] => {
  const reasons = new Set(images.flatMap(({ lacking }) => lacking ?? []));
  return [...reasons].map((reason) => {
    const about = images.filter(({ lacking }) => lacking === reason).map(({ reference }) => reference);
    return `cannot be had: ${about.join(', ')}: ${reason}`;
  });
};

/** A line for each add-on and each other release. */
export function addonStatusText(addons: readonly AddonStatus[]): string {
  if (addons.length === 0) return 'the inventory has no add-ons, and the cluster no releases of Helm';
  const colors = colorsFor(process.stdout);
  const rows = addons.map(({ name, release, chart = '' }) => [name, release, chart].map(oneLine));
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return addons
    .map(({ ok, state }, index) => {
      const cells = (rows[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0));
      return `${ok ? colors('green', '✔') : colors('red', '✘')} ${cells.join('  ')}  ${oneLine(state)}`;
    })
    .join('\n');
}

/** The add-ons that could be upgraded, each with what runs, what there is, and the command. */
export const addonUpgradesText = (addons: readonly AddonStatus[]): string => {
  const lines = addons.flatMap(({ name, chart = '', upgrade }) =>
    upgrade === undefined ? [] : [oneLine(`${name}: ${chart} runs, and there is ${upgrade.to}: ${upgrade.command}`)],
  );
  return lines.length === 0 ? 'every add-on runs the newest version that kbs knows' : lines.join('\n');
};

/** Values of a chart as YAML; `{}` where there are none. */
export const valuesText = (values: Readonly<Record<string, unknown>>): string => stringify(values, { lineWidth: 0 });
