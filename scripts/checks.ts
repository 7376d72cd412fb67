import { check, sum, type Totals, tests } from './steps.js';

/** Everything that says something about the sources without a cluster, on two cores: the tests beside all the rest. */
export async function checks(): Promise<Totals> {
  return sum(await Promise.all([tests('unit'), inTurn()]));
}

/** In the order in which a mistake is found soonest. */
async function inTurn(): Promise<Totals> {
  const done: Totals[] = [];
  for (const [name, command] of commands) done.push(await check(name, command));
  return sum(done);
}

const caches = 'node_modules/.cache';
// ESLint looks again only at files that changed. A typed rule may then miss what a change does to the files that import
// the changed one: CI begins with a clean checkout, where there is no cache and everything is looked at.
const eslint = `eslint --cache --cache-strategy content --cache-location ${caches}/eslint/`;
const depcruise = `depcruise --cache ${caches}/dependency-cruiser --cache-strategy content`;

const commands = [
  ['format, lint', 'biome ci --colors=off .'],
  ['architecture', `${depcruise} --config .dependency-cruiser.cjs src`],
  ['dead code', 'knip'],
  ['generated files', 'tsx scripts/generate.ts --check'],
  ['types', `tsc -p . --incremental --tsBuildInfoFile ${caches}/tsc.tsbuildinfo`],
  ['typed lint', `${eslint} .`],
] as const;
