import { structuredPatch } from 'diff';
import {
  type Change,
  type ChangeImages,
  changesOf,
  type Difference,
  type HostPlan,
  type OperationDetails,
  type Plan,
} from '../../engine/plan.js';
import { type Colors, plain } from './color.js';
import { skippedText } from './failure-text.js';
import { counted, some } from './format.js';
import { oneLine } from './printable.js';

export interface DiffOptions {
  readonly colors?: Colors;
  /** Also prints the contents of what a host gets for the first time. */
  readonly verbose?: boolean;
}

/**
 * A plan as a diff: per host and phase what is created (+), changed (~) and removed (-), and one line that sums it up.
 * Hosts with the same changes are shown together. A host where everything is new gets a list instead of contents.
 */
export function planText(plan: Plan, { colors = plain, verbose = false }: DiffOptions = {}): string {
  const groups = alike(plan.hosts.filter((host) => host.phases.some((phase) => phase.changes.length > 0)));
  const blocks = groups.map(([host, names]) => hostText(host, names, colors, verbose));
  return [...blocks, ...notesText(plan, colors), ...warningsText(plan, colors), summaryText(plan, colors)].join('\n');
}

/** What stays on a host although nothing wants it, and advice, a line each. */
export const notesText = ({ hosts }: Pick<Plan, 'hosts'>, colors: Colors): readonly string[] => {
  const lines = hosts.flatMap(({ host, notes = [] }) => notes.map((note) => colors('yellow', `${host}: ${note}`)));
  return lines.length === 0 ? [] : [`${lines.join('\n')}\n`];
};

/** What the operator should know of the hosts, with what to do. */
export const warningsText = ({ warnings = [] }: Plan, colors: Colors): readonly string[] => {
  const lines = warnings.flatMap(({ hosts, what, next }) => [
    colors('yellow', oneLine(`! ${[...hosts].join(', ')}: ${what}`)),
    `  → ${oneLine(next)}`,
  ]);
  return lines.length === 0 ? [] : [`${lines.join('\n')}\n`];
};

/**
 * `12 to create, 1 to update on 3 hosts`, or that there is nothing to change; then the hosts that the plan goes without,
 * why, and what to do next.
 */
export function summaryText(plan: Plan, colors: Colors = plain): string {
  const reached = plan.hosts.filter((host) => host.skipped === undefined);
  const skipped = plan.hosts.flatMap(({ host, skipped }) =>
    skipped === undefined ? [] : [{ host, problem: skipped }],
  );
  const unknown = changesOf(plan).some(({ action }) => action === 'unknown') ? [unknownLine] : [];
  return `${[changesLine(plan, reached), ...unknown, ...skippedText(skipped, colors)].join('\n')}\n`;
}

const unknownLine =
  '?  kbs cannot tell what is there: it waits until the phase may begin, then applies these; what is as wanted does not change';

function changesLine(plan: Plan, reached: readonly HostPlan[]): string {
  const changes = changesOf(plan);
  if (changes.length === 0) {
    const are = reached.length === 1 ? 'is' : 'are';
    return `nothing to change: ${counted(reached.length, 'host')} ${are} as the inventory says`;
  }
  const parts = (['create', 'update', 'remove', 'run'] as const)
    .map((action) => [changes.filter((change) => change.action === action).length, action] as const)
    .filter(([count]) => count > 0)
    .map(([count, action]) => `${count} to ${action}`);
  const unknown = changes.filter(({ action }) => action === 'unknown').length;
  if (unknown > 0) parts.push(`${unknown} to apply in any case (?)`);
  const hosts = reached.filter((host) => host.phases.some((phase) => phase.changes.length > 0)).length;
  return `${parts.join(', ')} on ${counted(hosts, 'host')}`;
}

/** Hosts whose changes are equal in every word, each group with the names of its hosts. */
function alike(hosts: readonly HostPlan[]): readonly (readonly [HostPlan, readonly string[]])[] {
  const groups = new Map<string, [HostPlan, string[]]>();
  for (const host of hosts) {
    const key = JSON.stringify(host.phases);
    const group = groups.get(key);
    if (group) group[1].push(host.host);
    else groups.set(key, [host, [host.host]]);
  }
  return [...groups.values()];
}

function hostText(host: HostPlan, names: readonly string[], colors: Colors, verbose: boolean): string {
  const changes = host.phases.flatMap((phase) => phase.changes);
  const listed = !verbose && changes.every(({ action }) => action === 'create' || action === 'unknown');
  const lines = [
    colors('bold', oneLine(some(names))) +
      (names.length > 1 ? colors('dim', ` (${names.length} hosts, the same changes)`) : ''),
  ];
  for (const phase of host.phases) {
    if (phase.changes.length === 0) continue;
    lines.push(`  ${colors('cyan', oneLine(phase.phase))}`);
    for (const change of phase.changes) {
      lines.push(`    ${headline(change, colors)}`);
      // What helm will install is not in a release's name.
      if (!listed || change.kind === 'release')
        lines.push(...details(change, colors, verbose).map((line) => `        ${line}`));
      lines.push(...(change.downloads ?? []).map((from) => `        ${oneLine(`the host downloads ${from}`)}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

const marks = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  remove: ['-', 'red'],
  run: ['>', 'cyan'],
  unknown: ['?', 'yellow'],
} as const;

function headline(change: Change, colors: Colors): string {
  const [mark, style] = marks[change.action];
  const why = change.reason === undefined ? '' : `  cannot tell: ${change.reason}`;
  return colors(style, oneLine(`${mark} ${change.kind} ${change.id}`)) + oneLine(why);
}

/** What differs, line by line. What goes away is not printed again in full: its name says enough. */
function details(change: Change, colors: Colors, verbose: boolean): readonly string[] {
  if (change.operation) return operationLines(change.operation);
  if ((change.action === 'remove' || change.action === 'unknown') && !verbose) return [];
  return [
    ...change.differences.flatMap((difference) =>
      isText(difference) ? textDiff(difference, colors) : [shortDiff(difference, change, colors)],
    ),
    ...(change.images === undefined ? [] : imageLines(change.images)),
  ];
}

const imageLines = (images: ChangeImages): readonly string[] => {
  if ('unknown' in images) return [oneLine(`images: cannot tell, ${images.unknown}`)];
  const line = (says: string, some: readonly string[]) =>
    some.length === 0 ? [] : [oneLine(`${says}: ${some.join(', ')}`)];
  return [
    ...line('images in the bundle', images.bundled),
    ...line('images that hosts fetch from registries', images.fetched),
  ];
};

/** The images that hosts will fetch from registries, and from where they download: a line each; none where there are none. */
export const fetchesText = (plan: Plan): readonly string[] => {
  const all = changesOf(plan).flatMap(({ images }) => (images && 'fetched' in images ? images.fetched : []));
  const images = all.length === 0 ? [] : [oneLine(`hosts fetch from registries: ${[...new Set(all)].join(', ')}`)];
  return [...images, ...downloadsText(plan)];
};

/** Which hosts download from where, as one line; none where kbs brings all. */
const downloadsText = ({ hosts }: Plan): readonly string[] => {
  const found = hosts.map(({ host, phases }) => ({
    host,
    from: phases.flatMap(({ changes }) => changes.flatMap(({ downloads = [] }) => downloads.map(serverOf))),
  }));
  const downloading = found.filter(({ from }) => from.length > 0);
  if (downloading.length === 0) return [];
  const servers = new Set(downloading.flatMap(({ from }) => from));
  const names = downloading.map(({ host }) => host);
  return [oneLine(`${some(names)} ${names.length === 1 ? 'downloads' : 'download'} from ${[...servers].join(', ')}`)];
};

/** The server of an address, or of an image's reference. */
const serverOf = (from: string): string => from.replace('https://', '').split('/')[0] ?? '';

/** Where an operation runs, what it waits for and changes, and how it is resumed. */
const operationLines = ({
  host,
  affects,
  precondition,
  timeoutSeconds,
  resume,
}: OperationDetails): readonly string[] => [
  `on ${host}, at most ${timeoutSeconds} s${precondition === undefined ? '' : `, once ${precondition}`}`,
  ...affects.map(oneLine),
  oneLine(`if interrupted: ${resume}`),
];

const isText = ({ is = '', wanted = '' }: Difference): boolean => is.includes('\n') || wanted.includes('\n');

function shortDiff({ aspect, is, wanted }: Difference, change: Change, colors: Colors): string {
  const name = oneLine(aspect);
  if (change.action === 'create' || change.action === 'unknown')
    return `${name}: ${colors('green', wanted ?? '(none)')}`;
  return `${name}: ${colors('red', is ?? '(none)')} → ${colors('green', wanted ?? '(none)')}`;
}

/** A unified diff. Of the aspects that are text, only `content` needs no name: a file has no other. */
function textDiff({ aspect, is = '', wanted = '' }: Difference, colors: Colors): readonly string[] {
  const { hunks } = structuredPatch('', '', is, wanted, undefined, undefined, { context: 3 });
  const lines = hunks.flatMap((hunk) => [
    colors('cyan', `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`),
    ...hunk.lines.map((line) => styled(line, colors)),
  ]);
  return aspect === 'content' ? lines : [`${oneLine(aspect)}:`, ...lines];
}

/** As diff(1) writes it: a range without lines stands after the line before it. */
const range = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;

function styled(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors('green', line);
  return line.startsWith('-') ? colors('red', line) : line;
}
