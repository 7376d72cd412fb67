import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openPool } from '../src/hosts/pool.js';
import { ensureKeyring, keyringDirectory, readKeyring } from '../src/pki/keyring.js';
import { apply as applyWorkflow } from '../src/workflows/apply.js';
import { openArtifacts } from '../src/workflows/cluster-artifacts.js';
import { phaseRun } from '../src/workflows/run/plan-phases.js';
import { interruption } from './interruption.js';
import { type KbsRun, runKbs } from './kbs.js';
import { phaseRows } from './phase-rows.js';
import { type Site, withSite } from './site.js';

/**
 * What kbs costs when there is nothing to do: an apply on a cluster that is already as the inventory says, and the
 * query of a hundred hosts. See docs/benchmarks.md. As root, after `npm run build`:
 *
 *     npm run bench:no-op
 */
const signal = interruption();
await withSite(async (site) => {
  const apply = () => runKbs(['apply', '--yes', '-i', site.inventory], { signal });
  const first = await apply();
  const again = await apply();
  const commands = await commandsOf(site);
  console.log(`three hosts and a router, ${changesOf(first)} changes made before, ${changesOf(again)} now`);
  console.log(phaseRows(again).join('\n'));
  console.log(`\n${again.seconds.toFixed(1)} s, ${again.peak.toFixed(0)} MB at most (aim: under 150), \
${again.cpu.toFixed(1)} s of CPU; commands sent: ${commands}\n`);
});

signal.throwIfAborted();
const hundredHosts = fileURLToPath(new URL('hundred-hosts.ts', import.meta.url));
const { status } = spawnSync(process.execPath, [...process.execArgv, hundredHosts], { stdio: 'inherit' });
process.exitCode = status ?? 1;

function changesOf({ events }: KbsRun): number {
  const last = events.findLast((event) => event.type === 'run');
  return last && 'summary' in last ? last.summary.changes : Number.NaN;
}

/** How many commands each host is given until kbs knows that nothing is to be done. */
async function commandsOf(site: Site): Promise<string> {
  const { cluster } = site;
  const directory = keyringDirectory(site.inventory, cluster.name);
  const credentials = await ensureKeyring(directory, cluster, new Date());
  const { identity: keyring } = await readKeyring(directory, cluster, new Date());
  const artifacts = await openArtifacts(site);
  const pool = openPool();
  try {
    await phaseRun(applyWorkflow).plan({
      loaded: site,
      cluster,
      keyring,
      credentials,
      artifacts,
      pool,
      emit: () => {},
      signal,
    });
    return [...pool.commands()].map(([host, count]) => `${host} ${count}`).join(', ');
  } finally {
    await pool.close();
  }
}
