import type { Summary } from '../../engine/event.js';
import { changesOf, type Plan } from '../../engine/plan.js';
import { Failure, failuresIn, toProblem } from '../../failure.js';
import type { ClusterHost } from '../../inventory/cluster.js';
import { type Removing, stepsOf } from '../remove/plan.js';

export interface Removed {
  readonly plan: Plan;
  readonly summary: Summary;
}

/** Tells the beginning and the end of a run around its work. */
export const reported = async (
  removal: Removing,
  work: () => Promise<{ readonly plan: Plan; readonly skipped: Summary['skipped'] }>,
  foreseen = false,
): Promise<Removed> => {
  const { emit, before, leaving, affected } = removal;
  const begun = Date.now();
  emit({
    type: 'run',
    state: 'started',
    workflow: 'remove',
    cluster: before.name,
    hosts: [
      ...leaving.map((host) => ({ host: host.name, phases: stepsOf(host, before, removal) })),
      ...affected.map(({ host, phases }) => ({ host: host.name, phases: phases.map(({ name }) => name) })),
    ],
  });
  const summaryOf = (changes: number, skipped: Summary['skipped']): Summary => ({
    changes: foreseen ? 0 : changes,
    ...(foreseen ? { pending: changes } : {}),
    hosts: leaving.length + affected.length,
    skipped,
    ms: Date.now() - begun,
  });
  try {
    const { plan, skipped } = await work();
    const summary = summaryOf(changesOf(plan).length, skipped);
    emit({ type: 'run', state: 'done', summary });
    return { plan, summary };
  } catch (error) {
    const [first] = failuresIn(error);
    if (first) emit({ type: 'run', state: 'failed', error: toProblem(first), summary: summaryOf(0, []) });
    throw error;
  }
};

/** Runs a step and tells of it as of a phase of the host that leaves; gives the number of things that it changed. */
export const stepped = async (
  host: ClusterHost,
  phase: string,
  { emit, signal }: Removing,
  work: () => Promise<number>,
): Promise<void> => {
  if (signal.aborted) {
    throw new Failure('interrupted', `interrupted before ${host.name} ${phase}`, { where: { host: host.name, phase } });
  }
  const begun = Date.now();
  emit({ type: 'phase', host: host.name, phase, state: 'started', changes: 1 });
  try {
    const changes = await work();
    emit({ type: 'phase', host: host.name, phase, state: 'done', changes, ms: Date.now() - begun });
  } catch (error) {
    if (error instanceof Failure) {
      emit({ type: 'phase', host: host.name, phase, state: 'failed', error: toProblem(error) });
    }
    throw error;
  }
};
