import { Failure, toProblem } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { Gate } from '../phases/phase.js';
import type { ApplyContext } from './apply.js';
import { applyChanges } from './apply-changes.js';
import type { HostWorkPlan, PhaseSteps } from './compare.js';
import { deferred } from './deferred.js';
import type { Dependencies, HostDependencies } from './dependencies.js';
import type { EventData } from './event.js';
import { awaitGates } from './gate.js';
import type { Halt, RollingGroups } from './rolling.js';

/** What all chains of a run share. */
export interface RunnerContext extends ApplyContext {
  readonly chains: ReadonlyMap<string, HostRunner>;
  readonly turns: RollingGroups;
}

/** One host's walk through its phases, and the promises that others may wait for. */
export class HostRunner {
  failure: Failure | undefined;
  changed = false;
  running = false;
  readonly #name: string;
  readonly #work: HostWorkPlan;
  readonly #waits: HostDependencies;
  readonly #company: RunnerContext;
  readonly #ended = deferred();
  readonly #opened = new Set<string>();

  constructor(work: HostWorkPlan, waits: HostDependencies, company: RunnerContext) {
    this.#name = work.hostPhases.host.name;
    this.#work = work;
    this.#waits = waits;
    this.#company = company;
    this.failure = work.unreachable;
  }

  async run(): Promise<void> {
    for (const work of this.#work.phases) {
      if (this.failure) break;
      try {
        await this.#pass(work, this.#waits.get(work) ?? none);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.failure = error;
        this.#tell(work, { state: 'failed', error: toProblem(error) });
        this.#company.turns.halt(this.#name, error);
      }
    }
    this.running = false;
    this.#ended.resolve();
  }

  /** Resolves when the host has walked all its phases, or has been set aside. */
  async ended(): Promise<void> {
    await this.#ended.promise;
  }

  async #pass(work: PhaseSteps, waits: Dependencies): Promise<void> {
    const { signal, turns } = this.#company;
    refuseWhenInterrupted(signal, this.#name, work.phase.name);
    await this.#takeTurns(work, waits);
    await this.#othersEnd(work, waits);
    const gates = this.#gatesToAwait(work);
    if (work.changes.length > 0 || gates.length > 0) await this.#make(work, waits, gates);
    if (waits.release) turns.release(this.#name, waits.release);
  }

  async #takeTurns(work: PhaseSteps, { acquire }: Dependencies): Promise<void> {
    if (acquire.length === 0) return;
    const { signal, turns } = this.#company;
    const stop = await turns.acquire(this.#name, acquire, (on) => this.#tell(work, { state: 'waiting', on }));
    refuseWhenInterrupted(signal, this.#name, work.phase.name);
    if (stop) throw leftAsItIs(this.#name, work.phase.name, stop);
  }

  async #othersEnd(work: PhaseSteps, { waitFor }: Dependencies): Promise<void> {
    for (const other of waitFor) {
      const chain = this.#company.chains.get(other);
      if (chain?.running) this.#tell(work, { state: 'waiting', on: other });
      await chain?.ended();
    }
  }

  /**
   * A gate that was open when kbs looked is trusted unless this host, or the host that the gate is about, has changed
   * since; one that was waited for before a change holds for later changes. A phase that has resources and changes
   * none of them waits for nothing, and nobody waits for a gate about a host that was set aside.
   */
  #gatesToAwait({ gates, changes, waitOnly }: PhaseSteps): readonly Gate[] {
    if (!waitOnly && changes.length === 0) return [];
    return gates.flatMap(({ gate, open }) => {
      const other = gate.afterHost === undefined ? undefined : this.#company.chains.get(gate.afterHost);
      if (other?.failure || (!waitOnly && this.#opened.has(gate.test))) return [];
      return !open || this.changed || other?.changed ? [gate] : [];
    });
  }

  async #make(work: PhaseSteps, waits: Dependencies, gates: readonly Gate[]): Promise<void> {
    const begun = Date.now();
    this.running = true;
    this.#tell(work, { state: 'started', changes: work.changes.length });
    const host = this.#company.open(this.#work.hostPhases.host);
    await this.#open(host, work, gates);
    for (const { test } of gates) this.#opened.add(test);
    if (work.changes.length > 0) {
      // Last, as the others change while this host waits for anything else.
      await this.#open(host, work, work.rolling?.preconditions ?? []);
      await applyChanges(host, work.phase.name, work.changes, this.#company);
      this.changed = true;
      await this.#open(host, work, this.#servesAfter(work, waits));
    }
    this.#tell(work, { state: 'done', changes: work.changes.length, ms: Date.now() - begun });
  }

  /** What must be open after a phase; at the end of a turn, what each of its phases may have closed. */
  #servesAfter({ rolling }: PhaseSteps, { release }: Dependencies): readonly Gate[] {
    const turns = release
      ? this.#work.phases.map((work) => work.rolling).filter((each) => each?.group === release)
      : [rolling];
    const gates = turns.flatMap((each) => each?.healthy ?? []);
    return [...new Map(gates.map((gate) => [gate.test, gate])).values()];
  }

  async #open(host: Host, { phase }: PhaseSteps, gates: readonly Gate[]): Promise<void> {
    if (gates.length > 0) await awaitGates(host, phase.name, gates, this.#company);
  }

  #tell({ phase }: PhaseSteps, happening: PhaseHappening): void {
    this.#company.emit({ type: 'phase', host: this.#name, phase: phase.name, ...happening });
  }
}

type PhaseHappening = EventData extends infer H
  ? H extends { readonly type: 'phase' }
    ? Omit<H, 'type' | 'host' | 'phase'>
    : never
  : never;

const none: Dependencies = { acquire: [], waitFor: [] };

const leftAsItIs = (host: string, phase: string, { host: other, cause }: Halt): Failure =>
  new Failure(cause.code, `left as it is: ${other} failed before`, {
    where: { host, phase },
    why: [cause.message],
    next: `mend ${other}, then run the same command again`,
    cause,
  });

const refuseWhenInterrupted = (signal: AbortSignal, host: string, phase: string): void => {
  if (signal.aborted) {
    throw new Failure('interrupted', `interrupted before phase ${phase}`, {
      where: { host, phase },
      next: 'run the same command again: what is done stays done',
    });
  }
};
