import { Failure, toProblem } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { Gate, PhaseReference } from '../phases/phase.js';
import { applyChanges } from './apply-changes.js';
import type { ApplyContext } from './apply-context.js';
import { type Deferred, deferred } from './deferred.js';
import type { Dependencies, HostDependencies } from './dependencies.js';
import type { EventData } from './event.js';
import type { ExecutableHostPlan, PhaseSteps } from './executable-plan.js';
import { awaitGates } from './gate.js';
import type { Halt, RollingGroups } from './rolling.js';
import { runOperation } from './run-operation.js';

/** What all runners of a run share. */
export interface RunnerContext extends ApplyContext {
  readonly runners: ReadonlyMap<string, HostRunner>;
  readonly rolling: RollingGroups;
}

/** Runs the phases of one host, and lets other hosts wait for them. */
export class HostRunner {
  failure: Failure | undefined;
  changed = false;
  running = false;
  /** Whether the run went on without this host from the start. */
  readonly skipped: boolean;
  readonly #name: string;
  readonly #plan: ExecutableHostPlan;
  readonly #dependencies: HostDependencies;
  readonly #context: RunnerContext;
  readonly #ended = deferred();
  readonly #done: ReadonlyMap<string, Deferred>;
  readonly #opened = new Set<string>();

  constructor(plan: ExecutableHostPlan, dependencies: HostDependencies, context: RunnerContext) {
    this.#name = plan.hostPhases.host.name;
    this.#plan = plan;
    this.#dependencies = dependencies;
    this.#context = context;
    this.#done = new Map(plan.phases.map(({ phase }) => [phase.name, deferred()]));
    this.failure = plan.unreachable;
    this.skipped = plan.unreachable !== undefined;
  }

  async run(): Promise<void> {
    for (const steps of this.#plan.phases) {
      if (this.failure) break;
      try {
        await this.#runPhase(steps, this.#dependencies.get(steps) ?? none);
        this.#done.get(steps.phase.name)?.resolve();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.failure = error;
        this.#emit(steps, { state: 'failed', error: toProblem(error) });
        this.#context.rolling.halt(this.#name, error);
      }
    }
    this.running = false;
    this.#ended.resolve();
  }

  /** The host itself. */
  open(): Host {
    return this.#context.open(this.#plan.hostPhases.host);
  }

  /** Resolves when the host has run all its phases, or has failed. */
  async ended(): Promise<void> {
    await this.#ended.promise;
  }

  /** Resolves when the phase is done, with the failure if the host failed before. A phase that it does not have is done. */
  async done(phase: string): Promise<Failure | undefined> {
    const promise = this.#done.get(phase)?.promise;
    if (promise === undefined) return undefined;
    return Promise.race([promise.then(() => undefined), this.#ended.promise.then(() => this.failure)]);
  }

  async #runPhase(steps: PhaseSteps, dependencies: Dependencies): Promise<void> {
    const { signal, rolling } = this.#context;
    refuseWhenInterrupted(signal, this.#name, steps.phase.name);
    await this.#waitForPhases(steps, dependencies);
    await this.#acquire(steps, dependencies);
    await this.#waitForHosts(steps, dependencies);
    const gates = this.#gatesToAwait(steps);
    if (steps.changes.length > 0 || gates.length > 0) await this.#apply(steps, dependencies, gates);
    if (dependencies.release) rolling.release(this.#name, dependencies.release);
  }

  async #waitForPhases(steps: PhaseSteps, { after }: Dependencies): Promise<void> {
    if (steps.changes.length === 0) return;
    for (const reference of after) {
      const runner = this.#context.runners.get(reference.host);
      if (!runner || runner.skipped || runner === this) continue;
      if (runner.running) this.#emit(steps, { state: 'waiting', on: reference.host });
      const failure = await runner.done(reference.phase);
      if (failure && !reference.mayFail) throw notStarted(this.#name, steps.phase.name, reference, failure);
    }
    refuseWhenInterrupted(this.#context.signal, this.#name, steps.phase.name);
  }

  async #acquire(steps: PhaseSteps, { acquire }: Dependencies): Promise<void> {
    if (acquire.length === 0) return;
    const { signal, rolling } = this.#context;
    const halt = await rolling.acquire(this.#name, acquire, (on) => this.#emit(steps, { state: 'waiting', on }));
    refuseWhenInterrupted(signal, this.#name, steps.phase.name);
    if (halt) throw leftUntouched(this.#name, steps.phase.name, halt);
  }

  async #waitForHosts(steps: PhaseSteps, { waitFor }: Dependencies): Promise<void> {
    for (const other of waitFor) {
      const runner = this.#context.runners.get(other);
      if (runner?.running) this.#emit(steps, { state: 'waiting', on: other });
      await runner?.ended();
    }
  }

  /**
   * A gate that was open when kbs observed the host is trusted unless this host, or the host that the gate is about, has
   * changed since; one that was waited for before a change holds for later changes. A phase that has resources and
   * changes none of them waits for nothing. A gate about a host that failed is not waited for.
   */
  #gatesToAwait({ gates, changes, waitOnly }: PhaseSteps): readonly Gate[] {
    if (!waitOnly && changes.length === 0) return [];
    return gates.flatMap(({ gate, open }) => {
      const other = gate.afterHost === undefined ? undefined : this.#context.runners.get(gate.afterHost);
      if (other?.failure || (!waitOnly && this.#opened.has(gate.test))) return [];
      return !open || this.changed || other?.changed ? [gate] : [];
    });
  }

  async #apply(steps: PhaseSteps, dependencies: Dependencies, gates: readonly Gate[]): Promise<void> {
    const begun = Date.now();
    this.running = true;
    const changes = steps.changes.filter(({ quiet }) => !quiet).length;
    this.#emit(steps, { state: 'started', changes });
    const host = this.open();
    await this.#await(host, steps, gates);
    for (const { test } of gates) this.#opened.add(test);
    if (steps.operation) {
      await runOperation(this.#name, steps.operation, this.#context);
      this.changed = true;
    } else if (steps.changes.length > 0) {
      // Tested right before the changes: the other hosts may have changed while this one waited for its gates.
      await this.#await(host, steps, steps.rolling?.preconditions ?? []);
      await applyChanges(host, steps.phase.name, steps.changes, this.#context);
      this.changed ||= changes > 0;
      await this.#await(host, steps, this.#healthyAfter(steps, dependencies));
    }
    this.#emit(steps, { state: 'done', changes, ms: Date.now() - begun });
  }

  /** What must be healthy after a phase; at the end of a rolling span, what each of its phases may have disturbed. */
  #healthyAfter({ rolling }: PhaseSteps, { release }: Dependencies): readonly Gate[] {
    const updates = release
      ? this.#plan.phases.map((steps) => steps.rolling).filter((each) => each?.group === release)
      : [rolling];
    const gates = updates.flatMap((each) => each?.healthy ?? []);
    return [...new Map(gates.map((gate) => [gate.test, gate])).values()];
  }

  async #await(host: Host, { phase }: PhaseSteps, gates: readonly Gate[]): Promise<void> {
    if (gates.length === 0) return;
    const at = (name: string) => this.#context.runners.get(name)?.open();
    await awaitGates(host, phase.name, gates, { ...this.#context, at });
  }

  #emit({ phase }: PhaseSteps, event: PhaseEvent): void {
    this.#context.emit({ type: 'phase', host: this.#name, phase: phase.name, ...event });
  }
}

type PhaseEvent = EventData extends infer E
  ? E extends { readonly type: 'phase' }
    ? Omit<E, 'type' | 'host' | 'phase'>
    : never
  : never;

const none: Dependencies = { after: [], acquire: [], waitFor: [] };

const leftUntouched = (host: string, phase: string, { host: other, cause }: Halt): Failure =>
  new Failure(cause.code, `left untouched: ${other} failed before`, {
    where: { host, phase },
    why: [cause.message],
    next: `repair ${other}, then run the same command again`,
    cause,
  });

const notStarted = (
  host: string,
  phase: string,
  { host: other, phase: their }: PhaseReference,
  cause: Failure,
): Failure =>
  new Failure(cause.code, `${phase} was not started: ${other} failed before it was done with ${their}`, {
    where: { host, phase },
    why: [cause.message],
    next: `repair ${other}, then run the same command again`,
    cause,
  });

const refuseWhenInterrupted = (signal: AbortSignal, host: string, phase: string): void => {
  if (!signal.aborted) return;
  throw new Failure('interrupted', `interrupted before phase ${phase}`, {
    where: { host, phase },
    next: 'run the same command again: what is done stays done',
  });
};
