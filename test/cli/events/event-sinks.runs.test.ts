import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ran, ranOnTerminal } from '../process.js';
import { hostFailed, observed, phaseDone, phaseStarted, runDone, runFailed, started, unreachable } from './events.js';

const run = [
  started(['controller-00', 'worker-00'], ['system']),
  observed('controller-00'),
  phaseStarted('controller-00', 'system', 4),
  phaseDone('controller-00', 'system', 4),
  hostFailed('worker-00', 'no answer from 10.0.0.2:22'),
  runDone(2, 4, 71_000),
];

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-events-'));
  file = join(folder, 'run.json');
  writeFileSync(file, JSON.stringify(run));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a pipe gets lines on stderr and the result on stdout', async () => {
  const { stdout, stderr } = await ran(['emit', file]);
  expect(stdout).toBe('emitted\n');
  expect(stderr).toContain('controller-00 system: 4 changes done in 3.1s\n');
});

it('--json keeps stderr quiet, and -v lets it talk', async () => {
  const [quiet, verbose] = await Promise.all([ran(['emit', file, '--json']), ran(['emit', file, '--json', '-v'])]);
  expect([quiet.stderr, JSON.parse(quiet.stdout)]).toEqual(['', { emitted: true }]);
  expect(verbose.stderr).toContain('4 changes to make');
  expect(JSON.parse(verbose.stdout)).toEqual({ emitted: true });
});

it('--events writes every event as a line of JSON, to a file or to stdout', async () => {
  const path = join(folder, 'events.jsonl');
  const [, { stdout }] = await Promise.all([
    ran(['emit', file, '--events', path]),
    ran(['emit', file, '--events', '-']),
  ]);
  const inFile = readFileSync(path, 'utf8').trimEnd().split('\n');
  const onStdout = stdout.trimEnd().split('\n').slice(0, -1);
  for (const written of [inFile, onStdout]) {
    expect(written.map((line) => JSON.parse(line))).toEqual(run.map((each) => ({ at: expect.any(Number), ...each })));
  }
});

it('events and a document cannot share stdout, and a file must be writable', async () => {
  const [both, nowhere] = await Promise.all([
    ran(['emit', file, '--events', '-', '--json']),
    ran(['emit', file, '--events', join(folder, 'no', 'such', 'folder')]),
  ]);
  expect([both.code, nowhere.code]).toEqual([2, 2]);
  expect(JSON.parse(both.stdout).error.what).toContain('both want stdout');
  expect(nowhere.stderr).toContain('cannot write the events');
});

/** The lines left on a terminal: what was drawn after the last time the cursor went up, without control sequences. */
function screenOf(drawn: string): readonly string[] {
  const left = drawn.slice(drawn.lastIndexOf('\u001b[1A')).split(/\u001b\[[?\d]*[a-zA-Z]/);
  return left.join('').replaceAll('\r', '').trim().split('\n');
}

it('a terminal gets a tree in which failures stay, and the total at its end', async () => {
  const { stdout, code } = await ranOnTerminal(['emit', file, '150'], { NO_COLOR: '1' });
  expect(code).toBe(0);
  expect(screenOf(stdout)).toEqual([
    expect.stringMatching(/^✔ controller-00 {2}4 changes in \d/),
    '✖ worker-00      no answer from 10.0.0.2:22',
    'init hybrid: 4 changes on 2 hosts in 1m11s',
    'emitted',
  ]);
});

it('a tree that made room for a question while hosts were observed still knows what it knew', async () => {
  const path = join(folder, 'question.json');
  const asking = [...run.slice(0, 1), ...run.slice(4, 5), 'question', ...run.slice(1, 4), ...run.slice(5)];
  writeFileSync(path, JSON.stringify(asking));
  const { stdout } = await ranOnTerminal(['emit', path, '150'], { NO_COLOR: '1' });
  expect(stdout).toContain('a question');
  expect(screenOf(stdout)).toEqual([
    expect.stringMatching(/^✔ controller-00 {2}4 changes in \d/),
    '✖ worker-00      no answer from 10.0.0.2:22',
    'init hybrid: 4 changes on 2 hosts in 1m11s',
    'emitted',
  ]);
});

it('a run that reached no host ends with the reason, and not with a total', async () => {
  const path = join(folder, 'failed.json');
  const hosts = ['controller-00', 'worker-00'];
  const failedRun = [started(hosts), ...hosts.map((host) => hostFailed(host, 'no answer')), runFailed(2, 'no answer')];
  writeFileSync(path, JSON.stringify(failedRun));
  const { stdout } = await ranOnTerminal(['emit', path, '150'], { NO_COLOR: '1' });
  expect(screenOf(stdout)).toEqual([
    '✖ controller-00  no answer',
    '✖ worker-00      no answer',
    'init hybrid: stopped: no answer',
    'emitted',
  ]);
});

it('below the tree stand the hosts that were skipped, why, and what to do next', async () => {
  const path = join(folder, 'skipped.json');
  const away = ['worker-00', 'worker-01'];
  const skippedRun = [
    started(['controller-00', ...away]),
    ...away.map((host) => hostFailed(host, `cannot connect to ${host}`)),
    runDone(3, 4, 71_000, away.map(unreachable)),
  ];
  writeFileSync(path, JSON.stringify(skippedRun));
  const { stdout } = await ranOnTerminal(['emit', path, '150'], { NO_COLOR: '1' });
  expect(screenOf(stdout).slice(-6)).toEqual([
    '✖ worker-01      cannot connect to worker-01',
    'init hybrid: 4 changes on 3 hosts in 1m11s, 2 hosts skipped',
    'skipped: worker-00, worker-01 (cannot connect to HOST)',
    '  | timed out',
    '  → see that HOST is up',
    'emitted',
  ]);
});

it('a fleet of 500 hosts fits a terminal', async () => {
  const fleet = Array.from({ length: 500 }, (_, index) => `worker-${index}`);
  const path = join(folder, 'fleet.json');
  const phases = ['system', 'runtime', 'images'];
  const fleetRun = [
    started(fleet, phases),
    ...fleet.slice(1).map(observed),
    ...phases.flatMap((phase) => fleet.slice(1).map((host) => phaseDone(host, phase, 4))),
    hostFailed('worker-0', 'no answer'),
    runDone(500, 4 * 3 * 499, 71_000),
  ];
  writeFileSync(path, JSON.stringify(fleetRun));
  const { stdout, code } = await ranOnTerminal(['emit', path], { NO_COLOR: '1' });
  expect(code).toBe(0);
  expect(screenOf(stdout)).toEqual([
    '✖ observe  499/500 done, 1 failed',
    '  › worker-0: no answer',
    '✔ system  499/500 done',
    '✔ runtime  499/500 done',
    '✔ images  499/500 done',
    'init hybrid: 5988 changes on 500 hosts in 1m11s',
    'emitted',
  ]);
});
