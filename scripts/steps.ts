import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** How many checks and tests passed, failed and were skipped. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const none: Totals = { passed: 0, failed: 0, skipped: 0 };

export const sum = (all: readonly Totals[]): Totals =>
  all.reduce(
    (one, other) => ({
      passed: one.passed + other.passed,
      failed: one.failed + other.failed,
      skipped: one.skipped + other.skipped,
    }),
    none,
  );

/** Says the totals in the last line of a run and ends with status 1 where anything failed. */
export function finish({ passed, failed, skipped }: Totals): void {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/**
 * One check: a command of this project's tools that must end with 0. Its output is shown where it does not; `live` shows
 * it as it comes, for one that takes minutes.
 */
export async function check(name: string, command: string, { live = false } = {}): Promise<Totals> {
  const { code, output, seconds } = await run(command, live);
  say(name, code === 0 ? 'ok' : 'FAILED', seconds);
  if (code !== 0) console.log(`$ ${command}\n${output}`);
  return code === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 };
}

/** The tests of one vitest project, counted one by one. `live` shows their progress, for those that take minutes. */
export async function tests(project: string, { live = false } = {}): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-tests-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = `--reporter=${live ? 'tree' : 'default'} --reporter=json --outputFile.json=${report}`;
    const { code, output, seconds } = await run(
      `vitest run --passWithNoTests --project '${project}' ${reporters}`,
      live,
    );
    const totals = countOf(report, code);
    say(`${project} tests`, totals.failed === 0 ? 'ok' : 'FAILED', seconds);
    if (totals.failed > 0 && !live) console.log(output);
    return totals;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What vitest counted. A file that could not be loaded has no test to count and fails the run all the same. */
function countOf(report: string, code: number | null): Totals {
  try {
    // The shape of vitest's JSON reporter, which is that of jest.
    const counted = JSON.parse(readFileSync(report, 'utf8')) as Record<
      `num${'Passed' | 'Failed' | 'Pending' | 'Todo'}Tests`,
      number
    >;
    const failed = counted.numFailedTests || (code === 0 ? 0 : 1);
    return { passed: counted.numPassedTests, failed, skipped: counted.numPendingTests + counted.numTodoTests };
  } catch {
    return { ...none, failed: code === 0 ? 0 : 1 };
  }
}

interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

function run(command: string, live = false): Promise<Ran> {
  const began = performance.now();
  const path = [join(process.cwd(), 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(command, {
    shell: true,
    stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path },
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, seconds: (performance.now() - began) / 1000 }));
  });
}

const say = (name: string, result: string, seconds: number): void =>
  console.log(`${name.padEnd(16)} ${result.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s`);
