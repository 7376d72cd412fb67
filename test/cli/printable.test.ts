import { readdirSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { lines } from '../../src/cli/events/lines.js';
import { trackProgress } from '../../src/cli/events/progress.js';
import { rowsOf } from '../../src/cli/events/rows.js';
import { writeJson, writeText } from '../../src/cli/output.js';
import { checkResultsText } from '../../src/cli/text/check-results-text.js';
import { type Colors, coloured, plain } from '../../src/cli/text/color.js';
import { planText } from '../../src/cli/text/diff-text.js';
import { etcdText } from '../../src/cli/text/etcd-text.js';
import { failureText, skippedText } from '../../src/cli/text/failure-text.js';
import { statusText } from '../../src/cli/text/status-text.js';
import { scenarioText } from '../../src/cli/text/what-if-text.js';
import type { EventData, Summary } from '../../src/engine/event.js';
import { Failure, type Problem, toProblem } from '../../src/failure.js';
import type { Status } from '../../src/workflows/status.js';
import { eventsOf } from './events/events.js';
import { create, hostPlan, planOf, update } from './text/plans.js';

/** What a terminal obeys: it sets the title, clears the screen, rings, goes back to the left, turns the line, colours. */
const hostile =
  '\u001b]0;OWNED\u0007\u001b[2J\u009b31m\u001b[32m\r\u202eevil\u2066\u200f\u007f\u0000\nError: a line of its own';

/** The same value with hostile text at the end of each of its strings, except those that kbs itself chooses. */
const poisoned = <T>(value: T, keep: readonly string[] = []): T =>
  JSON.parse(
    JSON.stringify(value, (key, each: unknown) =>
      typeof each === 'string' && !keep.includes(key) ? `${each}${hostile}` : each,
    ),
  );

// biome-ignore lint/complexity/useRegexLiterals: the characters read better by their numbers
const obeyed = new RegExp(
  '[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]',
);

/** What arrives at the terminal. */
function printed(text: string): string {
  const stream = new PassThrough();
  writeText(stream, text);
  return String(stream.read() ?? '');
}

const problem: Problem = toProblem(
  new Failure('refused', 'it failed', {
    where: { host: 'a', phase: 'images', resource: 'file /etc/x', command: 'ctr import', position: 'kbs.yaml:1:1' },
    why: ['first', 'second'],
    next: 'do this',
  }),
);

const summary: Summary = { changes: 1, hosts: 2, skipped: [{ host: 'b', problem }], ms: 1 };

type EventName = EventData extends infer E
  ? E extends { readonly type: infer T extends string; readonly state: infer S extends string }
    ? `${T} ${S}`
    : never
  : never;

/** One event of each type and state; a new one does not compile without its line here. */
const events: Readonly<Record<EventName, EventData>> = {
  'run started': {
    type: 'run',
    state: 'started',
    workflow: 'init',
    cluster: 'c',
    hosts: [{ host: 'a', phases: ['images'] }],
  },
  'run planned': { type: 'run', state: 'planned', summary },
  'run done': { type: 'run', state: 'done', summary },
  'run failed': { type: 'run', state: 'failed', error: problem, summary },
  'host connecting': { type: 'host', host: 'a', state: 'connecting' },
  'host observed': { type: 'host', host: 'a', state: 'observed' },
  'host failed': { type: 'host', host: 'a', state: 'failed', error: problem },
  'phase waiting': { type: 'phase', host: 'a', phase: 'images', state: 'waiting', on: 'b' },
  'phase started': { type: 'phase', host: 'a', phase: 'images', state: 'started', changes: 1 },
  'phase done': { type: 'phase', host: 'a', phase: 'images', state: 'done', changes: 1, ms: 1 },
  'phase failed': { type: 'phase', host: 'a', phase: 'images', state: 'failed', error: problem },
  'change started': {
    type: 'change',
    host: 'a',
    phase: 'images',
    state: 'started',
    change: { kind: 'file', id: '/etc/x', action: 'create' },
  },
  'change done': {
    type: 'change',
    host: 'a',
    phase: 'images',
    state: 'done',
    change: { kind: 'file', id: '/etc/x', action: 'create' },
  },
  'gate started': { type: 'gate', host: 'a', phase: 'images', gate: 'API answers', state: 'started' },
  'gate done': { type: 'gate', host: 'a', phase: 'images', gate: 'API answers', state: 'done', ms: 1 },
  'gate failed': { type: 'gate', host: 'a', phase: 'images', gate: 'API answers', state: 'failed', error: problem },
};

const own = ['type', 'state', 'action'];

const linesOf = (...data: readonly EventData[]): string => {
  const written: string[] = [];
  const sink = lines({ verbose: true, write: (line) => written.push(line) });
  for (const event of eventsOf(data)) sink(event);
  return written.map((line) => `${line}\n`).join('');
};

const rowsAfter = (...data: readonly EventData[]): readonly string[] => {
  const run = trackProgress();
  for (const event of eventsOf(data)) run.update(event);
  const now = run.now();
  return now === undefined ? [] : rowsOf(now).flatMap(({ text, below }) => [text, ...below]);
};

it.each(Object.entries(events))(
  'no text in the event `%s` is obeyed by a terminal or forges a line',
  (_name, event) => {
    const text = printed(linesOf(poisoned(event, own)));
    expect(text).not.toMatch(obeyed);
    expect(text).not.toMatch(/^Error:/m);
  },
);

it.each(Object.entries(events))(
  'no row of the tree carries what a terminal obeys after the event `%s`',
  (_name, event) => {
    const start = poisoned(events['run started'], own);
    const fleet = poisoned(
      {
        ...events['run started'],
        hosts: Array.from({ length: 30 }, (_, index) => ({
          host: index === 0 ? 'a' : `h${index}`,
          phases: ['images'],
        })),
      } as EventData,
      own,
    );
    for (const first of [start, fleet]) {
      for (const text of rowsAfter(first, poisoned(event, own))) expect(text).not.toMatch(/[\n]/);
      for (const text of rowsAfter(first, poisoned(event, own))) expect(text).not.toMatch(obeyed);
    }
  },
);

const status: Status = {
  cluster: 'c',
  version: '1.36.3',
  healthy: false,
  reached: true,
  hosts: [{ name: 'a', address: '192.0.2.1', roles: ['worker'], segment: 'lan', problem: problem }],
  findings: [{ proof: 'components', name: 'etcd', ok: false, detail: 'down', ms: 1 }],
  certificates: [{ path: 'ca', notAfter: new Date(0), daysLeft: 3 }],
};

const plan = planOf(
  hostPlan('a', {
    system: [
      update('sysctl', 'net.ipv4.ip_forward', 'value', '0', '1'),
      update('file', '/etc/x', 'content', 'a\nb\n', 'a\nc\n'),
      create('file', '/etc/y', { mode: '0644' }),
    ],
  }),
  { host: 'b', phases: [], skipped: problem },
);

const texts: readonly (readonly [string, (colors: Colors) => string])[] = [
  ['a failure', (colors) => failureText([poisoned(problem), poisoned({ ...problem, what: 'other' })], colors)],
  ['hosts that are skipped', (colors) => skippedText(poisoned(summary.skipped), colors).join('\n')],
  ['a plan', (colors) => planText(poisoned(plan, ['action', 'workflow']), { colors, verbose: true })],
  // What kbs or the inventory's schema makes sure of is left alone: it can have no newline.
  ['a status', () => statusText(poisoned(status, ['proof', 'cluster', 'version', 'path']))],
  ['proofs', () => checkResultsText(poisoned(status.findings, ['proof']), true)],
  [
    'members of etcd',
    () =>
      etcdText(
        poisoned(
          {
            cluster: 'c',
            asked: 'a',
            quorum: true,
            members: [
              { id: '1', name: 'a', peerUrls: [], clientUrls: ['http://a'], learner: false },
              {
                id: '2',
                name: 'b',
                peerUrls: [],
                clientUrls: [],
                learner: false,
                status: {
                  version: '3.7.3',
                  size: 1,
                  sizeInUse: 1,
                  leader: true,
                  revision: 1,
                  raftTerm: 1,
                  raftIndex: 1,
                  errors: ['NOSPACE'],
                },
              },
            ],
          },
          ['cluster'],
        ),
      ),
  ],
  [
    'a what-if',
    (colors) =>
      scenarioText(
        poisoned(
          {
            cluster: 'c',
            survives: false,
            scenarios: [
              {
                without: ['hypervisor=pve'],
                affects: ['a'],
                status: 'fail',
                findings: [
                  {
                    aspect: 'etcd',
                    status: 'fail',
                    message: 'no quorum',
                    fix: { description: 'one more', steps: [] },
                  },
                ],
                alike: [],
              },
            ],
          },
          ['cluster', 'aspect', 'status'],
        ),
        colors,
      ),
  ],
];

it.each(texts)('the text of %s keeps kbs’s colours, and shows as words what others put into it', (_name, textOf) => {
  const withoutColors = printed(textOf(plain));
  expect(withoutColors).not.toMatch(obeyed);
  expect(withoutColors).not.toMatch(/^Error: a line/m);
  expect(withoutColors).toContain('\\x1b]0;OWNED\\x07\\x1b[2J\\x9b31m\\x1b[32m\\r\\u202eevil\\u2066\\u200f\\x7f\\x00');
  // biome-ignore lint/complexity/useRegexLiterals: an escape character reads better as text
  const ownColors = new RegExp('\\u001b\\[(1|2|22|31|32|33|36|39)m', 'g');
  expect(printed(textOf(coloured)).replace(ownColors, '')).toBe(withoutColors);
});

it('colours are colours only where kbs chose them', () => {
  expect(printed(coloured('red', 'down \u001b[32mup'))).toBe('\u001b[31mdown \\x1b[32mup\u001b[39m\n');
});

it('newlines and tabs stay as they are', () => {
  expect(printed('a\n\tb\n')).toBe('a\n\tb\n');
});

it('JSON holds no character that a terminal obeys, and is the same data', () => {
  const stream = new PassThrough();
  writeJson(stream, { text: hostile });
  const json = String(stream.read());
  expect(json.slice(0, -1)).not.toMatch(obeyed);
  expect(JSON.parse(json)).toEqual({ text: hostile });
});

it('there is one door to the terminal', () => {
  const root = fileURLToPath(new URL('../../src/', import.meta.url));
  const writers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .filter((path) =>
      /console\.\w+\(|\b(stdout|stderr|terminal)\.write\(|\bthis\.log\w*\(/.test(readFileSync(root + path, 'utf8')),
    );
  // The parent class of commands prints documents through logJson, which goes through the door.
  // A question that is answered without an echo stands on a line that has no end yet; it is made printable there.
  expect(writers).toEqual(['cli/base-command.ts', 'hosts/ask-secret.ts']);
});
