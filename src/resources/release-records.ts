import { defined } from '../defined.js';
import { type Script, sh } from '../hosts/shell.js';

/** What the labels of one of helm's Secrets say: https://helm.sh/docs/topics/advanced/#storage-backends */
export interface ReleaseRecord {
  readonly name: string;
  /** Counts the installation and every upgrade. */
  readonly revision: number;
  /** helm's word: `deployed`, `failed`, `pending-upgrade`, `uninstalled`. */
  readonly status: string;
  /** Absent where one namespace was asked. */
  readonly namespace?: string;
  /** What kbs adds; absent in a release that it did not make. */
  readonly addon?: string;
  readonly digest?: string;
  /** Name and version. */
  readonly chart?: string;
  readonly order?: number;
}

/** The labels that kbs gives to a release's Secret. */
export const releaseLabels = {
  addon: 'kbs.dev/addon',
  digest: 'kbs.dev/digest',
  chart: 'kbs.dev/chart',
  version: 'kbs.dev/chart-version',
  order: 'kbs.dev/order',
} as const;

/** A version of a chart as the value of a label, which has no plus sign. */
export const versionLabel = (version: string): string => version.replaceAll('+', '_');

/** Words that make kubectl print a release's records, or with no name those of all that kbs made, without their content. */
export const releaseRecordWords = (name?: string): readonly string[] => [
  'get',
  'secrets',
  '-l',
  name === undefined ? `owner=helm,${releaseLabels.addon}` : `owner=helm,name=${name}`,
  '--show-labels',
  '--no-headers',
  '--ignore-not-found',
];

/** Shell: of what that printed, on stdin, the labels of the newest record on a line; nothing where there is none. */
export const newestLabels: Script = sh`awk '{
  count = split($NF, labels, ",")
  revision = 0
  for (i = 1; i <= count; i++) if (labels[i] ~ /^version=/) revision = substr(labels[i], 9) + 0
  if (revision > newest) { newest = revision; line = $NF }
} END { if (newest) print line }'`;

/** The records in what that printed, one a line: NAMESPACE NAME TYPE DATA AGE LABELS, without the first for one namespace. */
export const releaseRecords = (output: string): readonly ReleaseRecord[] => output.split('\n').flatMap(recordIn);

const recordIn = (line: string): readonly ReleaseRecord[] => {
  const columns = line.trim().split(/\s+/);
  const labels = new Map((columns.at(-1) ?? '').split(',').map(splitAtEquals));
  const [name, status] = [labels.get('name'), labels.get('status')];
  if (labels.get('owner') !== 'helm' || name === undefined || status === undefined) return [];
  const [chart, version, order] = [releaseLabels.chart, releaseLabels.version, releaseLabels.order].map((label) =>
    labels.get(label),
  );
  return [
    {
      name,
      status,
      revision: Number(labels.get('version')),
      ...defined({
        namespace: columns.length > 5 ? columns[0] : undefined,
        addon: labels.get(releaseLabels.addon),
        digest: labels.get(releaseLabels.digest),
        chart: chart === undefined ? undefined : `${chart} ${(version ?? '').replaceAll('_', '+')}`,
        order: order === undefined ? undefined : Number(order),
      }),
    },
  ];
};

const splitAtEquals = (pair: string): readonly [string, string] => {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
};

/** The newest record of each release, in the order in which releases come first. */
export const newestReleases = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] => {
  const newest = new Map<string, ReleaseRecord>();
  for (const record of records) {
    const key = `${record.namespace ?? ''}/${record.name}`;
    const other = newest.get(key);
    if (other === undefined || other.revision < record.revision) newest.set(key, record);
  }
  return [...newest.values()];
};
