import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultBundle, openBundle } from '../src/artifacts/bundle.js';
import { knownVersions } from '../src/artifacts/catalogue.js';
import { interruption } from './interruption.js';
import { type KbsRun, runKbs } from './kbs.js';
import { runKubeadm, type ScriptRun } from './kubeadm.js';
import { phaseRows } from './phase-rows.js';
import { plainFiles } from './plain-files.js';
import { all, median } from './rounds.js';
import { withSite } from './site.js';

/**
 * From three bare hosts and a router to a cluster that is ready: kbs, and a plain parallel script with kubeadm, on the
 * same hosts with the same versions. Each has a lab of its own, in turns; making and removing labs is not counted, nor
 * is unpacking the bundle for the script. See docs/benchmarks.md. As root, after `npm run build`:
 *
 *     npm run bench:bring-up [ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 1);
const signal = interruption();
const bundle = await openBundle(defaultBundle(knownVersions()[0] ?? ''));
const files = mkdtempSync(join(tmpdir(), 'kbs-plain-files-'));
try {
  await plainFiles(bundle, files);
  const ours: KbsRun[] = [];
  const theirs: ScriptRun[] = [];
  const turns = [
    async () => void ours.push(await withSite((site) => runKbs(['apply', '--yes', '-i', site.inventory], { signal }))),
    async () => void theirs.push(await withSite((site) => runKubeadm(site, { bundle, files, signal }))),
  ];
  for (let round = 0; round < rounds; round++) {
    // The second has the warmer machine, so they change places.
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      signal.throwIfAborted();
      await turn();
    }
  }
  if (ours.length === 0) throw new Error('usage: npm run bench:bring-up [ROUNDS]');
  report(median(ours), median(theirs));
  if (rounds > 1) console.log(`\nall rounds: kbs ${all(ours)}; kubeadm ${all(theirs)}`);
} finally {
  rmSync(files, { recursive: true, force: true });
}

function report(kbs: KbsRun, kubeadm: ScriptRun): void {
  console.log(phaseRows(kbs).join('\n'));
  console.log('\nkubeadm.sh, step after step');
  for (const { name, seconds } of kubeadm.steps) console.log(`${seconds.toFixed(1).padStart(6)}  ${name}`);
  console.log(`
kbs      ${kbs.seconds.toFixed(1).padStart(5)} s, ${kbs.peak.toFixed(0)} MB at most, ${kbs.cpu.toFixed(1)} s of CPU of its own
kubeadm  ${kubeadm.seconds.toFixed(1).padStart(5)} s
ratio    ${(kbs.seconds / kubeadm.seconds).toFixed(2).padStart(5)} (aim: 0.50 or less; memory: under 150 MB)`);
}
