import { kindOf, subjectOf } from '../../src/resources/registry.js';
import type { Resource, State, Step } from '../../src/resources/resource.js';
import type { World } from './world.js';

/** What is there, looked at as the engine does: output captured by a shell, which drops its last newlines. */
export const see = async (world: World, resource: Resource): Promise<State | undefined> => {
  const kind = kindOf(resource);
  const script = `set +eu\n${kindOf(subjectOf(resource)).prelude ?? ''}\noutput=$(set -eu\n${kind.look(resource)}\n) || exit\nprintf %s "$output"`;
  return kind.see(await world.run(script), resource);
};

/** The wanted aspects that are not so, with what they are. */
export const differences = async (world: World, resource: Resource): Promise<Record<string, string>> =>
  differing(await see(world, resource), kindOf(resource).want(resource));

export const differing = (seen: State | undefined, wanted: State): Record<string, string> =>
  Object.fromEntries(
    Object.entries(wanted)
      .filter(([aspect, value]) => seen?.[aspect] !== value)
      .map(([aspect]) => [aspect, seen?.[aspect] ?? 'absent']),
  );

/** Makes what differs, all steps in one script; gives their number. */
export const apply = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const steps: Step[] = [];
  for (const resource of resources) {
    const seen = await see(world, resource);
    if (Object.keys(differing(seen, kindOf(resource).want(resource))).length > 0) {
      steps.push(...kindOf(resource).make(resource, seen));
    }
  }
  return run(world, steps);
};

/** Unmakes what is there, last made first; gives the number of steps. */
export const unmake = async (world: World, resources: readonly Resource[]): Promise<number> => {
  const steps: Step[] = [];
  for (const resource of resources.toReversed()) {
    const seen = await see(world, resource);
    if (seen) steps.push(...kindOf(resource).unmake(resource, seen));
  }
  return run(world, steps);
};

const run = async (world: World, steps: readonly Step[]): Promise<number> => {
  await world.run(
    steps.map(({ script }) => `(\n${script}\n)`).join('\n'),
    steps.flatMap(({ payloads }) => payloads),
  );
  return steps.length;
};
