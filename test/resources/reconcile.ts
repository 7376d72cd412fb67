import { kindOf } from '../../src/resources/registry.js';
import { type Resource, type State, type Step, Unknown } from '../../src/resources/resource.js';
import type { World } from './overlay-host.js';

/** What is there, looked at as the engine does: output captured by a shell, which drops its last newlines. */
export const see = async (world: World, resource: Resource): Promise<State | undefined> =>
  (await seeAll(world, [resource]))[0];

/** The same of several, by one shell as the engine asks: a shell costs more than most looks. */
const seeAll = async (world: World, resources: readonly Resource[]): Promise<readonly (State | undefined)[]> => {
  const preludes = new Set(resources.map((resource) => kindOf(resource).prelude ?? ''));
  const looks = resources.map(
    (resource) => `output=$(set -eu\n${kindOf(resource).query(resource)}\n) || exit\nprintf '\\036%s' "$output"`,
  );
  const [, ...outputs] = (await world.run(['set +eu', ...preludes, ...looks].join('\n'))).split('\x1e');
  return resources.map((resource, index) => known(kindOf(resource).parse(outputs[index] ?? '', resource)));
};

/** The wanted aspects that are not so, with what they are. */
export const differences = async (world: World, resource: Resource): Promise<Record<string, string>> =>
  differing(await see(world, resource), kindOf(resource).desired(resource));

/** The same of several, one after the other. */
export const allDifferences = async (
  world: World,
  resources: readonly Resource[],
): Promise<readonly Record<string, string>[]> => {
  const seen = await seeAll(world, resources);
  return resources.map((resource, index) => differing(seen[index], kindOf(resource).desired(resource)));
};

/** The wanted aspects that are not so; all of them where it is unknown what is there. */
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

/** Makes what differs, all steps in one script; gives their number. */
export const apply = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const seen = await seeAll(world, resources);
  const steps = resources.flatMap((resource, index) => {
    const state = seen[index];
    const same = Object.keys(differing(state, kindOf(resource).desired(resource))).length === 0;
    return same ? [] : kindOf(resource).apply(resource, state);
  });
  return run(world, steps);
};

/** Unmakes what is there, last made first; gives the number of steps. */
export const unmake = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const seen = await seeAll(world, resources);
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
