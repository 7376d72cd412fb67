import { counted, duration, some } from '../text/format.js';
import { oneLine } from '../text/printable.js';
import type { HostProgress, Progress } from './progress.js';

/** One line of the tree, and the failures that hang under it. */
export interface Row {
  readonly key: string;
  readonly text: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly below: readonly string[];
}

/** Up to this many hosts get a line each; a larger fleet is drawn by phases. */
const fewHosts = 12;

/** The lines that show where a run stands, as few as a screen can hold; ready for a terminal. */
export const rowsOf = (progress: Progress): readonly Row[] =>
  (progress.hosts.length <= fewHosts ? progress.hosts.map(hostRow(width(progress))) : phaseRows(progress)).map(
    drawable,
  );

/** listr2 writes rows to the terminal itself, so they pass the filter here. */
const drawable = (row: Row): Row => ({ ...row, text: oneLine(row.text), below: row.below.map(oneLine) });

const width = (progress: Progress): number => Math.max(...progress.hosts.map(({ host }) => host.length));

const hostRow =
  (width: number) =>
  (host: HostProgress): Row => ({
    key: host.host,
    text: `${host.host.padEnd(width)}  ${hostWords(host)}`,
    state: host.state,
    below: [],
  });

function hostWords(host: HostProgress): string {
  switch (host.state) {
    case 'waiting':
      return '';
    case 'running':
      return runningWords(host);
    case 'done':
      return `${host.changes === 0 ? 'nothing to change' : counted(host.changes, 'change')}${took(host)}`;
    case 'failed':
      return failure(host);
  }
}

function runningWords(host: HostProgress): string {
  if (host.phase === undefined) return host.observed ? 'observed' : 'connecting';
  const place = `${host.phase} (${host.done.length + 1} of ${host.phases.length})`;
  if (host.wait) return `${place}: ${host.wait}`;
  return host.steps > 0 && !host.done.includes(host.phase)
    ? `${place}: ${host.step} of ${counted(host.steps, 'change')}`
    : place;
}

const took = ({ began, ended }: HostProgress): string =>
  began === undefined || ended === undefined ? '' : ` in ${duration(ended - began)}`;

const failure = (host: HostProgress): string => {
  const what = host.problem?.what.split('\n')[0] ?? 'failed';
  return host.phase === undefined ? what : `${host.phase}: ${what}`;
};

/** `observe`, then every phase that some host has reached, with its counts. */
function phaseRows({ hosts }: Progress): readonly Row[] {
  const phases = [...new Set(hosts.flatMap((host) => host.phases))];
  return [observeRow(hosts), ...phases.map((phase) => phaseRow(phase, hosts))].map(hideWaiting);
}

// A fleet's tree grows as its phases begin: those to come would fill the screen and say nothing.
const hideWaiting = (row: Row): Row => (row.state === 'waiting' ? { ...row, text: '' } : row);

function observeRow(hosts: readonly HostProgress[]): Row {
  const failed = hosts.filter((host) => host.state === 'failed' && host.phase === undefined);
  const done = hosts.filter((host) => host.observed || host.state === 'done').length;
  const begun = hosts.some((host) => host.began !== undefined);
  return countRow('observe', { total: hosts.length, done, failed, lost: 0, begun, waits: [] });
}

function phaseRow(phase: string, all: readonly HostProgress[]): Row {
  const hosts = all.filter((host) => host.phases.includes(phase));
  const done = hosts.filter((host) => host.done.includes(phase) || host.state === 'done').length;
  const fallen = hosts.filter((host) => host.state === 'failed' && !host.done.includes(phase));
  const failed = fallen.filter((host) => host.phase === phase);
  const here = hosts.filter((host) => host.state === 'running' && host.phase === phase && !host.done.includes(phase));
  return countRow(phase, {
    total: hosts.length,
    done,
    failed,
    lost: fallen.length - failed.length,
    begun: done > 0 || here.length > 0,
    waits: here.flatMap(({ host, wait }) => (wait === undefined ? [] : [`${host} ${wait}`])),
  });
}

interface Counts {
  readonly total: number;
  readonly done: number;
  readonly failed: readonly HostProgress[];
  /** Hosts that failed before they came here. */
  readonly lost: number;
  readonly begun: boolean;
  readonly waits: readonly string[];
}

function countRow(key: string, counts: Counts): Row {
  const { total, done, failed, waits } = counts;
  const words = [`${done}/${total} done`];
  if (failed.length > 0) words.push(`${failed.length} failed`);
  if (waits.length > 0) words.push(some(waits, 1));
  return { key, text: `${key}  ${words.join(', ')}`, state: stateOf(counts), below: failuresBelow(failed) };
}

function stateOf({ total, done, failed, lost, begun }: Counts): Row['state'] {
  if (!begun && failed.length === 0) return 'waiting';
  if (done + failed.length + lost < total) return 'running';
  return failed.length > 0 ? 'failed' : 'done';
}

const shownFailures = 3;

function failuresBelow(failed: readonly HostProgress[]): readonly string[] {
  const shown = failed.slice(0, shownFailures).map((host) => `${host.host}: ${host.problem?.what.split('\n')[0]}`);
  const rest = failed.length - shown.length;
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}
