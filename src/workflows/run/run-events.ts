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

/** The events of one run. */
export interface RunEvents {
  readonly emit: Emit;
  /** The end of a run that has started. An error that is no Failure is a bug of kbs and gives no event. */
  failed(error: unknown, summary: Summary): void;
}

export const runEvents = (emit: Emit): RunEvents => {
  let isStarted = false;
  return {
    emit(event) {
      isStarted ||= event.type === 'run' && event.state === 'started';
      emit(event);
    },
    failed(error, summary) {
      const [first] = failuresIn(error);
      if (first && isStarted) emit({ type: 'run', state: 'failed', error: toProblem(first), summary });
    },
  };
};

/** The hosts that a plan goes on without. */
export const skippedIn = (plan: Plan): readonly SkippedHost[] =>
  plan.hosts.flatMap(({ host, skipped }) => (skipped === undefined ? [] : [{ host, problem: skipped }]));
