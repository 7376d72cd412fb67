import { kindOf } from '../../src/resources/registry.js';
import { type Resource, type State, type Step, Unknown } from '../../src/resources/resource.js';
import type { World } from './overlay-host.js';

/** The observed state, queried as the engine does: output captured by a shell, which drops its last newlines. */
export const observed = async (world: World, resource: Resource): Promise<State | undefined> =>
  (await observedAll(world, [resource]))[0];

/** The same of several, in one shell as in the engine: starting a shell takes longer than most queries. */
const observedAll = async (world: World, resources: readonly Resource[]): Promise<readonly (State | undefined)[]> => {
  const preludes = new Set(resources.map((resource) => kindOf(resource).prelude ?? ''));
  const queries = resources.map(
    (resource) => `output=$(set -eu\n${kindOf(resource).query(resource)}\n) || exit\nprintf '\\036%s' "$output"`,
  );
  const [, ...outputs] = (await world.run(['set +eu', ...preludes, ...queries].join('\n'))).split('\x1e');
  return resources.map((resource, index) => known(kindOf(resource).parse(outputs[index] ?? '', resource)));
};

/** The desired aspects that differ, with their observed values. */
export const differences = async (world: World, resource: Resource): Promise<Record<string, string>> =>
  differing(await observed(world, resource), kindOf(resource).desired(resource));

/** The same of several, one after the other. */
export const allDifferences = async (
  world: World,
  resources: readonly Resource[],
): Promise<readonly Record<string, string>[]> => {
  const seen = await observedAll(world, resources);
  return resources.map((resource, index) => differing(seen[index], kindOf(resource).desired(resource)));
};

/** The desired aspects that differ; all of them where the state is unknown. */
export const differing = (seen: State | Unknown | undefined, wanted: State): Record<string, string> => {
  const [state, otherwise] = seen instanceof Unknown ? [undefined, 'unknown'] : [seen, 'absent'];
  return Object.fromEntries(
    Object.entries(wanted)
      .filter(([aspect, value]) => state?.[aspect] !== value)
      .map(([aspect]) => [aspect, state?.[aspect] ?? otherwise]),
  );
};

export const known = (seen: State | Unknown | undefined): State | undefined => {
  if (seen instanceof Unknown) throw new Error(`cannot tell: ${seen.reason}`);
  return seen;
};

/** Applies the resources that differ, all steps in one script; returns the number of steps. */
export const apply = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const seen = await observedAll(world, resources);
  const steps = resources.flatMap((resource, index) => {
    const state = seen[index];
    const same = Object.keys(differing(state, kindOf(resource).desired(resource))).length === 0;
    return same ? [] : kindOf(resource).apply(resource, state);
  });
  return run(world, steps);
};

/** Removes the resources that exist, last applied first; returns the number of steps. */
export const remove = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const seen = await observedAll(world, resources);
  const steps = resources
    .flatMap((resource, index) => {
      const state = seen[index];
      return state ? [kindOf(resource).remove(resource, state)] : [];
    })
    .toReversed()
    .flat();
  return run(world, steps);
};

const run = async (world: World, steps: readonly Step[]): Promise<number> => {
  if (steps.length === 0) return 0;
  await world.run(
    steps.map(({ script }) => `(\n${script}\n)`).join('\n'),
    steps.flatMap(({ payloads }) => payloads),
  );
  return steps.length;
};
