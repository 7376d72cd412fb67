/**
 * What a user waits for before kbs does anything: `kbs --help` beside a bare `node -e 0`, medians in milliseconds.
 * The difference is what is ours; run `npm run build` before.
 */
import { spawnSync } from 'node:child_process';

const runs = 25;

const bare = median(() => node('-e', '0'));
const help = median(() => node('bin/run.js', '--help'));
const completion = median(() => node('bin/run.js', 'completion', 'bash'));

console.log(`node -e 0             ${bare.toFixed(0)} ms`);
console.log(`kbs --help            ${row(help)}`);
console.log(`kbs completion bash   ${row(completion)}`);

function row(ms: number): string {
  return `${ms.toFixed(0)} ms  (+${(ms - bare).toFixed(0)} ms, ${(ms / bare).toFixed(1)} times)`;
}

function median(action: () => void): number {
  action();
  const times = Array.from({ length: runs }, () => timed(action)).sort((one, other) => one - other);
  return times[Math.floor(runs / 2)] ?? Number.NaN;
}

function timed(action: () => void): number {
  const began = performance.now();
  action();
  return performance.now() - began;
}

function node(...args: readonly string[]): void {
  // A file of extra certificates costs node 35 ms at each start and says nothing about kbs.
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
}
