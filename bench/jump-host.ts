import { interruption } from './interruption.js';
import { type KbsRun, runKbs } from './kbs.js';
import { requireHere } from './requirements.js';
import { all, median } from './rounds.js';
import { withSite } from './site.js';

/**
 * From bare hosts to a cluster that is ready, once directly and once through a jump host that is one of the hosts: what
 * the way through costs. The same lab for every run, made anew, in turns. See docs/benchmarks.md. As root, after
 * `npm run build`:
 *
 *     npm run bench:jump-host [ROUNDS]
 */
requireHere({ root: true, build: true });
const rounds = Number(process.argv[2] ?? 1);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('usage: npm run bench:jump-host [ROUNDS]');
const signal = interruption();
const names: Readonly<Record<Way, string>> = { none: 'directly', gate: 'by the jump host' };
const runs: Readonly<Record<Way, KbsRun[]>> = { none: [], gate: [] };
// Not counted: the first run reads the bundle from the disk, and takes its digests.
await bringUp('none');
for (let round = 0; round < rounds; round++) {
  // The second has the warmer machine, so they change places.
  const ways: readonly Way[] = round % 2 === 0 ? ['none', 'gate'] : ['gate', 'none'];
  for (const way of ways) {
    signal.throwIfAborted();
    const run = await bringUp(way);
    runs[way].push(run);
    console.error(`round ${round + 1} of ${rounds}, ${names[way]}: ${run.seconds.toFixed(1)} s`);
  }
}
const [direct, through] = [median(runs.none), median(runs.gate)];
console.log(`${names.none}         ${direct.seconds.toFixed(1).padStart(5)} s, ${direct.cpu.toFixed(1)} s of CPU of kbs itself
${names.gate} ${through.seconds.toFixed(1).padStart(5)} s, ${through.cpu.toFixed(1)} s
ratio            ${(through.seconds / direct.seconds).toFixed(2).padStart(5)} (aim: 1.50 or less)`);
if (rounds > 1) console.log(`\nall rounds: ${names.none} ${all(runs.none)}; ${names.gate} ${all(runs.gate)}`);

type Way = 'none' | 'gate';

function bringUp(way: Way): Promise<KbsRun> {
  return withSite((site) => runKbs(['apply', '--yes', '-i', site.inventory], { signal }), inventory(way));
}

/** The hosts of test/e2e/jump.test.ts. */
function inventory(jump: Way): string {
  return `apiVersion: kbs/v1
cluster: bench
kubernetes: { version: 1.36.3 }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    office: { cidr: 10.72.10.0/24, gateway: 10.72.10.1 }
    rack: { cidr: 10.72.20.0/24, gateway: 10.72.20.1 }
dns: { zone: bench.internal }
ssh: { user: ops, jump: ${jump} }
hosts:
  gate: { address: 10.72.10.5, roles: [dns] }
  controller-00: { address: 10.72.10.10, roles: [control-plane] }
  worker-00: { address: 10.72.10.20, roles: [worker] }
  worker-01: { address: 10.72.20.20, roles: [worker] }
`;
}
