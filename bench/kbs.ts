import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Event } from '../src/engine/event.js';

/** What one run of kbs cost, the process as a user starts it. */
export interface KbsRun {
  /** When it was started, in milliseconds since the epoch. */
  readonly began: number;
  readonly seconds: number;
  /** Seconds of CPU of kbs itself. */
  readonly cpu: number;
  /** The most memory that kbs itself had in RAM, in MB. */
  readonly peak: number;
  readonly events: readonly Event[];
}

/** Runs the built kbs. Throws its output where it ends with another status than those expected. */
export const runKbs = async (
  words: readonly string[],
  { signal, expected = [0] }: { readonly signal?: AbortSignal; readonly expected?: readonly number[] } = {},
): Promise<KbsRun> => {
  if (!existsSync(join(root, 'dist'))) throw new Error('there is no dist: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'kbs-run-'));
  const [events, cost] = [join(folder, 'events'), join(folder, 'cost')];
  try {
    const began = Date.now();
    const { status, said } = await finished(
      ['--import', recordCost(cost), join(root, 'bin/run.js'), ...words, '--events', events],
      signal,
    );
    const seconds = (Date.now() - began) / 1000;
    if (!expected.includes(status))
      throw new Error(`kbs ${words.join(' ')} ended with ${status}:\n${said.slice(-4000)}`);
    const [peak = 0, cpu = 0] = readFileSync(cost, 'utf8').split(' ').map(Number);
    return { began, seconds, cpu, peak, events: parse(readFileSync(events, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const root = fileURLToPath(new URL('..', import.meta.url));

/** Written by the process itself as it ends: getrusage(2) would count what its parent had in RAM before it was started. */
const recordCost = (file: string): string => {
  const script = `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const [, kib] = /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  const { user, system } = process.cpuUsage();
  writeFileSync(${JSON.stringify(file)}, kib * 1024 / 1e6 + ' ' + (user + system) / 1e6);
});`;
  return `data:text/javascript,${encodeURIComponent(script)}`;
};

const finished = (words: readonly string[], signal?: AbortSignal): Promise<{ status: number; said: string }> =>
  new Promise((resolve, reject) => {
    // A file of extra certificates costs node time and memory at its start and says nothing about kbs.
    const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece));
    child.once('error', (error) => reject(signal?.reason instanceof Error ? signal.reason : error));
    child.once('close', (status) => resolve({ status: status ?? -1, said }));
  });

/** A line of the file is an event, as kbs wrote it. */
const parse = (text: string): readonly Event[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event);
