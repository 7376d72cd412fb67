import type { Change, HostPlan, Plan } from '../../engine/plan.js';
import { type Colors, plain } from './color.js';
import { fetchesText, notesText, summaryText, warningsText } from './diff-text.js';
import { counted } from './format.js';
import { oneLine } from './printable.js';

/** How many changes of a host are named. */
const heads = 4;

/**
 * A plan at a glance, before the question: each host with the number of its changes and the first of them. Operations on
 * the cluster are all named, in their order. Where something is removed, so is what goes and what stays with it.
 */
export function overviewText(plan: Plan, colors: Colors = plain): string {
  const hosts = plan.hosts.filter((host) => changesOf(host).length > 0);
  const width = Math.max(0, ...hosts.map(({ host }) => host.length));
  const warnings = warningsText(plan, colors);
  return [
    ...hosts.map((host) => hostLine(host, width, colors)),
    ...fetchesText(plan),
    // What is lost, and what stays, when something goes.
    ...notesText({ hosts: hosts.filter(isRemovedFrom) }, colors),
    ...warnings,
    summaryText(plan, colors).trimEnd(),
    '',
  ].join('\n');
}

function hostLine(host: HostPlan, width: number, colors: Colors): string {
  const changes = changesOf(host);
  const operations = changes.filter(({ kind }) => kind === 'operation');
  const others = changes.filter(({ kind }) => kind !== 'operation');
  const named = others.slice(0, heads).map(nameOf);
  const more = others.length > heads ? [`… ${others.length - heads} more`] : [];
  const names = [...operations.map(({ id }) => colors('bold', oneLine(id))), ...named, ...more];
  return `${colors('bold', oneLine(host.host).padEnd(width))}  ${counted(changes.length, 'change')}: ${names.join(', ')}`;
}

const isRemovedFrom = (host: HostPlan): boolean => changesOf(host).some(({ action }) => action === 'remove');

const changesOf = ({ phases }: HostPlan): readonly Change[] => phases.flatMap(({ changes }) => changes);

const marks = { create: '+', update: '~', remove: '-', run: '>', unknown: '?' } as const;

const nameOf = ({ action, kind, id }: Change): string => oneLine(`${marks[action]} ${kind} ${id}`);
