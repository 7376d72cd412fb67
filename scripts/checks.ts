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
// By its path: the compiler that dependency-cruiser needs, one version older, has a program of the same name.
const tsc = 'node node_modules/typescript-7/bin/tsc';
const depcruise = `depcruise --cache ${caches}/dependency-cruiser --cache-strategy content`;

const commands = [
  ['format, lint', 'biome ci --colors=off .'],
  ['architecture', `${depcruise} --config .dependency-cruiser.cjs src`],
  ['dead code', 'knip'],
  ['generated files', 'tsx scripts/generate.ts --check'],
  ['types', `${tsc} -p . --incremental --tsBuildInfoFile ${caches}/types.tsbuildinfo`],
  ['typed lint', 'oxlint --deny-warnings'],
] as const;
