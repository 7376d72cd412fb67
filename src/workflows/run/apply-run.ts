import { defined } from '../../defined.js';
import { apply } from '../../engine/apply.js';
import type { Summary } from '../../engine/event.js';
import { changesOf } from '../../engine/plan.js';
import { type Failure, Failures, toProblem } from '../../failure.js';
import type { PlannedRun, RunContext } from './context.js';
import { skippedIn } from './run-events.js';

/**
 * Applies what was planned. Throws the failures where a host that the run needs is among them; gives a summary that names
 * the others as skipped.
 */
export const applyRun = async (
  { emit, signal, pool, timeout }: RunContext,
  { work, plan, context, isNeeded }: PlannedRun,
  startedAt: number,
): Promise<Summary> => {
  const outcome = await apply(work, {
    context,
    emit,
    signal,
    open: (host) => pool.host(host),
    ...defined({ timeout }),
  });
  const failed = [...outcome].flatMap(([host, failure]) => (failure ? [{ host, failure }] : []));
  const skipped = [
    ...skippedIn(plan).filter(({ host }) => !outcome.has(host)),
    ...failed.map(({ host, failure }) => ({ host, problem: toProblem(failure) })),
  ];
  // How far a host came that failed is in its events: its changes are not counted.
  const done = { ...plan, hosts: plan.hosts.filter(({ host }) => outcome.get(host) === undefined) };
  const summary = { changes: changesOf(done).length, hosts: work.length, skipped, ms: Date.now() - startedAt };
  const fatal = fatalAmong(failed, outcome.size, isNeeded);
  if (fatal.length > 0) throw new RunFailed(fatal, summary);
  return summary;
};

/** The failures that ended a run, and what became of it all the same. */
export class RunFailed extends Failures {
  readonly summary: Summary;

  constructor(failures: readonly Failure[], summary: Summary) {
    super(failures);
    this.summary = summary;
  }
}

interface HostFailure {
  readonly host: string;
  readonly failure: Failure;
}

const fatalAmong = (
  failed: readonly HostFailure[],
  hosts: number,
  isNeeded: PlannedRun['isNeeded'],
): readonly Failure[] => {
  const needed = failed.filter(({ host, failure }) => failure.code === 'interrupted' || isNeeded(host));
  return withoutConsequences((failed.length === hosts ? failed : needed).map(({ failure }) => failure));
};

/** Without those that only follow from another one among them: hosts that did not start because that one failed. */
const withoutConsequences = (failures: readonly Failure[]): readonly Failure[] =>
  failures.filter(({ cause }) => !failures.some((other) => other === cause));
