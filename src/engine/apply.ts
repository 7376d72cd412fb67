import type { ApplyContext, Outcome } from './apply-context.js';
import { assertNoCycle, dependenciesOf } from './dependencies.js';
import type { ExecutablePlan } from './executable-plan.js';
import { HostRunner } from './host-runner.js';
import { RollingGroups } from './rolling.js';

/**
 * Applies a plan. Each host runs its own phases; it waits for another one only where a phase, an operation or a gate
 * says so, or in a rolling update. A host that fails ends with its reason while the others go on.
 */
export const apply = async (plan: ExecutablePlan, context: ApplyContext): Promise<Outcome> => {
  const dependencies = new Map(plan.map((host) => [host.hostPhases.host.name, dependenciesOf(host)]));
  assertNoCycle(plan, dependencies);
  const runners = new Map<string, HostRunner>();
  const shared = { ...context, runners, rolling: new RollingGroups([...dependencies.keys()]) };
  for (const host of plan) {
    const { name } = host.hostPhases.host;
    runners.set(name, new HostRunner(host, dependencies.get(name) ?? new Map(), shared));
  }
  await Promise.all([...runners.values()].map((runner) => runner.run()));
  return new Map([...runners].map(([name, runner]) => [name, runner.failure]));
};
