import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { journal } from '../../../src/cli/events/journal.js';
import { eventsOf, phaseDone, started } from './events.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('keeps a run as JSON lines that only its owner can read, each there at once', () => {
  const events = eventsOf([started(['a']), phaseDone('a', 'system', 2)]);
  const where = join(folder, '.kbs', 'hybrid', 'journal');
  const sink = journal(where, new Date('2030-01-02T03:04:05Z'));
  for (const event of events) sink(event);

  const [name = ''] = readdirSync(where);
  expect(name).toMatch(/^2030-01-02T03-04-05\.000Z-\d+\.jsonl$/);
  const lines = readFileSync(join(where, name), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(events);
  expect(statSync(join(where, name)).mode & 0o777).toBe(0o600);
  expect(statSync(where).mode & 0o777).toBe(0o700);
  void sink.close?.();
});

it('remembers the last fifty runs and leaves other files alone', () => {
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  for (let day = 0; day < 60; day++) void journal(folder, new Date(day * 86_400_000)).close?.();
  const runs = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  expect(runs).toHaveLength(50);
  expect(runs.sort()[0]).toMatch(/^1970-01-11/);
  expect(readdirSync(folder)).toContain('notes.txt');
});
