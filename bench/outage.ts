import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { up } from '../src/workflows/lab.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { interruption } from './interruption.js';
import { runKbs } from './kbs.js';
import { type Fault, faults } from './outage/faults.js';
import { statisticsOf } from './outage/outage-statistics.js';
import { type Probers, startProbers } from './outage/probers.js';
import { type Site, siteOf } from './outage/site.js';
import { type Outage, tableOf } from './outage/table.js';
import { waitHealthy } from './outage/wait-healthy.js';

/**
 * What an outage costs the clients of a cluster. The inventory's lab is brought up where it is not, and the cluster with
 * it; then one fault after the other is injected, while the API is asked through its endpoint from outside and a pod
 * calls a Service in another segment. See docs/high-availability.md. As root, after `npm run build`:
 *
 *     npm run bench:outage -- -i FILE [--fault NAME]… [--as-it-is] [--json]
 *
 * The lab is left standing.
 */
const { values } = parseArgs({
  options: {
    inventory: { type: 'string', short: 'i', default: 'inventories/ha.yaml' },
    fault: { type: 'string', multiple: true },
    'as-it-is': { type: 'boolean', default: false }, // the cluster stands already: kbs is not asked to apply it
    json: { type: 'boolean', default: false },
  },
});
/** Milliseconds without a fault before each, and after all is healthy again. */
const settle = 4_000;
const signal = interruption();
const say = (text: string): void => console.error(text);
const chosen = values.fault?.map(faultNamed) ?? faults;

if (!values['as-it-is']) {
  await up(values.inventory, { install: false, guests: [] }, say);
  await runKbs(['apply', '--yes', '-i', values.inventory], { signal });
}
const site = siteOf(await loadCluster(values.inventory));
const probers = await startProbers(site);
try {
  const outages: Outage[] = [];
  for (const fault of chosen) {
    const outage = await measure(site, probers, fault);
    if (outage) outages.push(outage);
  }
  console.log(values.json ? JSON.stringify(outages, undefined, 2) : tableOf(outages));
} finally {
  await probers.stop();
}

async function measure(site: Site, probers: Probers, { name, prepare }: Fault): Promise<Outage | undefined> {
  await waitHealthy(site, probers, signal);
  const prepared = await prepare(site);
  if (!prepared) {
    say(`${name}: it applies to nothing in this cluster`);
    return undefined;
  }
  await sleep(settle);
  signal.throwIfAborted();
  say(`${name}: ${prepared.what}`);
  const from = Date.now();
  let repaired: number;
  try {
    await prepared.inflict();
    await sleep(prepared.seconds * 1000, undefined, { signal });
  } finally {
    repaired = Date.now();
    await prepared.repair();
  }
  const healthy = await waitHealthy(site, probers, signal);
  await sleep(settle);
  const span = { from, to: Date.now() - settle / 2 }; // what is under way at the end has no answer yet
  const outage = {
    fault: name,
    what: prepared.what,
    lasted: (repaired - from) / 1000,
    healed: (healthy - repaired) / 1000,
    reads: statisticsOf(probers.reads.samples, span),
    writes: statisticsOf(probers.writes.samples, span),
    calls: statisticsOf(await probers.calls(), span),
  };
  say(tableOf([outage]).split('\n')[2] ?? '');
  return outage;
}

function faultNamed(name: string): Fault {
  const fault = faults.find((one) => one.name === name);
  if (!fault) throw new Error(`no fault ${name}: there are ${faults.map((one) => one.name).join(', ')}`);
  return fault;
}
