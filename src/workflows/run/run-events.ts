import type { Emit, SkippedHost, Summary } from '../../engine/event.js';
import { changesOf, type Plan } from '../../engine/plan.js';
import { failuresIn, toProblem } from '../../failure.js';
import type { PlannedRun, RunContext } from './context.js';

/** The first event of a run: its hosts and their phases. */
export const announce = (
  { emit, cluster }: Pick<RunContext, 'emit' | 'cluster'>,
  workflow: string,
  hosts: readonly { readonly host: { readonly name: string }; readonly phases: readonly { readonly name: string }[] }[],
): void =>
  emit({
    type: 'run',
    state: 'started',
    workflow,
    cluster: cluster.name,
    hosts: hosts.map(({ host, phases }) => ({ host: host.name, phases: phases.map(({ name }) => name) })),
  });

/** What a plan leaves to do. */
export const pendingSummary = ({ plan, work }: PlannedRun, startedAt: number): Summary => ({
  changes: 0,
  pending: changesOf(plan).length,
  hosts: work.length,
  skipped: skippedIn(plan),
  ms: Date.now() - startedAt,
});

/** Emits the end of a run that failed; what is no Failure is our mistake and no event. */
export const emitFailure = (emit: Emit, error: unknown, summary: Summary): void => {
  const [first] = failuresIn(error);
  if (first) emit({ type: 'run', state: 'failed', error: toProblem(first), summary });
};

/** The hosts that a plan goes on without. */
export const skippedIn = (plan: Plan): readonly SkippedHost[] =>
  plan.hosts.flatMap(({ host, skipped }) => (skipped === undefined ? [] : [{ host, problem: skipped }]));
