import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { type Host, mutation, type Output, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import type { PhaseReference, RollingUpdate } from '../phases/phase.js';
import { inPhase, locked, lockedCode, lockedElsewhere } from './apply-changes.js';
import type { ApplyContext } from './apply-context.js';
import type { PhaseSteps } from './executable-plan.js';
import { awaitGates } from './gate.js';
import type { Operation } from './operation.js';
import { emptyPhase } from './undo.js';

/** An operation as one phase of its `target`, which may be another host than the one that it runs on. */
export const operationSteps = (
  operation: Operation,
  { rolling, after }: { readonly rolling?: RollingUpdate; readonly after?: readonly PhaseReference[] } = {},
): PhaseSteps => {
  const { name, target, on, precondition, timeoutSeconds, affects, resume } = operation;
  return {
    phase: emptyPhase(name, `${name} of ${target} is done`),
    changes: [
      {
        change: {
          kind: 'operation',
          id: idOf(operation),
          action: 'run',
          differences: [],
          operation: {
            host: on.name,
            affects,
            timeoutSeconds,
            resume,
            ...defined({ precondition: precondition?.name }),
          },
        },
        steps: [],
      },
    ],
    operation,
    gates: [],
    waitOnly: false,
    ...defined({ rolling, after }),
  };
};

/** Runs an operation for a host's phase. Throws a Failure that names the host, the phase and what is still waited for. */
export const runOperation = async (
  target: string,
  operation: Operation,
  { open, emit, signal, timeout }: ApplyContext,
): Promise<void> => {
  const { name, on, precondition, script, payloads = [], timeoutSeconds, interruptible } = operation;
  const host = open(on);
  const change = { kind: 'operation', id: idOf(operation), action: 'run' } as const;
  emit({ type: 'change', host: target, phase: name, state: 'started', change });
  if (precondition) {
    await awaitGates(host, name, [precondition], { emit, signal, ...defined({ timeout }) });
  }
  const watching = watch(target, host, operation, emit);
  const output = await host
    .mutate(mutation(interruptible ? script : locked(script), payloads), {
      timeout: Math.max((timeoutSeconds + 60) * 1000, timeout ?? 0),
      ...(interruptible ? { signal } : {}),
    })
    .catch((error: unknown) => {
      throw error instanceof Failure && error.code === 'interrupted'
        ? interrupted(target, operation)
        : inPhase(name, error);
    })
    .finally(() => watching.stop());
  const waitingFor = await watching.ended;
  if (output.code === lockedCode && !interruptible) throw lockedElsewhere(host.name);
  if (output.code !== 0) throw failed(target, operation, output, waitingFor);
  watching.succeeded();
  emit({ type: 'change', host: target, phase: name, state: 'done', change });
};

const failed = (
  target: string,
  operation: Operation,
  { code, stderr }: Output,
  waitingFor: readonly string[],
): Failure =>
  new Failure(waitingFor.length > 0 ? 'timeout' : 'refused', operation.failure.what, {
    where: { ...whereOf(target, operation), command: `sh (exit status ${code})` },
    why: waitingFor.length > 0 ? waitingFor.map((until) => `still waited for: ${until}`) : lastLines(stderr, 5),
    next: operation.failure.next,
  });

const interrupted = (target: string, operation: Operation): Failure =>
  new Failure('interrupted', `interrupted during ${idOf(operation)}`, {
    where: whereOf(target, operation),
    next: operation.resume,
  });

const whereOf = (host: string, operation: Operation) => ({
  host,
  phase: operation.name,
  resource: `operation ${idOf(operation)}`,
});

const idOf = ({ name, target }: Operation): string => `${name} ${target}`;

interface Watching {
  stop(): void;
  /** Nothing is waited for any more. */
  succeeded(): void;
  /** What was waited for last. */
  readonly ended: Promise<readonly string[]>;
}

/** Reports what an operation waits for as gate events. Queries every two seconds; a failed query changes nothing. */
const watch = (target: string, host: Host, { name, watch }: Operation, emit: ApplyContext['emit']): Watching => {
  if (watch === undefined) return { stop: () => {}, succeeded: () => {}, ended: Promise.resolve([]) };
  const over = new AbortController();
  const shown = new Map<string, number>();
  const show = (left: readonly string[]): void => {
    for (const [gate, begun] of shown) {
      if (left.includes(gate)) continue;
      shown.delete(gate);
      emit({ type: 'gate', host: target, phase: name, gate, state: 'done', ms: Date.now() - begun });
    }
    for (const gate of left) {
      if (shown.has(gate)) continue;
      shown.set(gate, Date.now());
      emit({ type: 'gate', host: target, phase: name, gate, state: 'started' });
    }
  };
  const observe = async (): Promise<readonly string[] | undefined> => {
    const output = await host
      .query(query(watch.script), { timeout: 60_000, signal: over.signal })
      .catch(() => undefined);
    return output?.code === 0 ? watch.parse(output.stdout) : undefined;
  };
  const ended = (async () => {
    let last: readonly string[] = [];
    while (!over.signal.aborted) {
      await sleep(2000, undefined, { signal: over.signal }).catch(() => {});
      last = (await observe()) ?? last;
      if (!over.signal.aborted) show(last);
    }
    return last;
  })();
  return { stop: () => over.abort(), succeeded: () => show([]), ended };
};
