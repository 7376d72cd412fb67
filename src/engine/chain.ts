import { Failure } from '../failure.js';
import type { Host } from '../hosts/host.js';
import type { Gate } from '../phases/phase.js';
import type { Surroundings } from './apply.js';
import { makeChanges } from './change.js';
import { deferred } from './deferred.js';
import type { Happening } from './event.js';
import { awaitGates } from './gate.js';
import { problem } from './problem.js';
import type { Stop, Turns } from './turns.js';
import type { HostWaits, Waits } from './waits.js';
import type { HostWork, PhaseWork } from './work.js';

/** What all chains of a run share. */
export interface Company extends Surroundings {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly turns: Turns;
}

/** One host's walk through its phases, and the promises that others may wait for. */
export class Chain {
  failure: Failure | undefined;
  changed = false;
  busy = false;
  readonly #name: string;
  readonly #work: HostWork;
  readonly #waits: HostWaits;
  readonly #company: Company;
  readonly #ended = deferred();
  readonly #opened = new Set<string>();

  constructor(work: HostWork, waits: HostWaits, company: Company) {
    this.#name = work.leg.host.name;
    this.#work = work;
    this.#waits = waits;
    this.#company = company;
    this.failure = work.unreachable;
  }

  async walk(): Promise<void> {
    for (const work of this.#work.phases) {
      if (this.failure) break;
      try {
        await this.#pass(work, this.#waits.get(work) ?? none);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.failure = error;
        this.#tell(work, { state: 'failed', error: problem(error) });
        this.#company.turns.stop(this.#name, error);
      }
    }
    this.busy = false;
    this.#ended.resolve();
  }

  /** Resolves when the host has walked all its phases, or has been set aside. */
  async ended(): Promise<void> {
    await this.#ended.promise;
  }

  async #pass(work: PhaseWork, waits: Waits): Promise<void> {
    const { signal, turns } = this.#company;
    refuseWhenInterrupted(signal, this.#name, work.phase.name);
    await this.#takeTurns(work, waits);
    await this.#othersEnd(work, waits);
    const gates = this.#gatesToAwait(work);
    if (work.changes.length > 0 || gates.length > 0) await this.#make(work, waits, gates);
    if (waits.passes) turns.pass(this.#name, waits.passes);
  }

  async #takeTurns(work: PhaseWork, { takes }: Waits): Promise<void> {
    if (takes.length === 0) return;
    const { signal, turns } = this.#company;
    const stop = await turns.take(this.#name, takes, (on) => this.#tell(work, { state: 'waiting', on }));
    refuseWhenInterrupted(signal, this.#name, work.phase.name);
    if (stop) throw leftAsItIs(this.#name, work.phase.name, stop);
  }

  async #othersEnd(work: PhaseWork, { ends }: Waits): Promise<void> {
    for (const other of ends) {
      const chain = this.#company.chains.get(other);
      if (chain?.busy) this.#tell(work, { state: 'waiting', on: other });
      await chain?.ended();
    }
  }

  /**
   * A gate that was open when kbs looked is trusted unless this host, or the host that the gate is about, has changed
   * since; one that was waited for before a change holds for later changes. A phase that has resources and changes
   * none of them waits for nothing, and nobody waits for a gate about a host that was set aside.
   */
  #gatesToAwait({ gates, changes, wait }: PhaseWork): readonly Gate[] {
    if (!wait && changes.length === 0) return [];
    return gates.flatMap(({ gate, open }) => {
      const other = gate.about === undefined ? undefined : this.#company.chains.get(gate.about);
      if (other?.failure || (!wait && this.#opened.has(gate.test))) return [];
      return !open || this.changed || other?.changed ? [gate] : [];
    });
  }

  async #make(work: PhaseWork, waits: Waits, gates: readonly Gate[]): Promise<void> {
    const begun = Date.now();
    this.busy = true;
    this.#tell(work, { state: 'started', changes: work.changes.length });
    const host = this.#company.open(this.#work.leg.host);
    await this.#open(host, work, gates);
    for (const { test } of gates) this.#opened.add(test);
    if (work.changes.length > 0) {
      // Last, as the others change while this host waits for anything else.
      await this.#open(host, work, work.turn?.before ?? []);
      await makeChanges(host, work.phase.name, work.changes, this.#company);
      this.changed = true;
      await this.#open(host, work, this.#servesAfter(work, waits));
    }
    this.#tell(work, { state: 'done', changes: work.changes.length, ms: Date.now() - begun });
  }

  /** What must be open after a phase; at the end of a turn, what each of its phases may have closed. */
  #servesAfter({ turn }: PhaseWork, { passes }: Waits): readonly Gate[] {
    const turns = passes ? this.#work.phases.map((work) => work.turn).filter((each) => each?.group === passes) : [turn];
    const gates = turns.flatMap((each) => each?.serves ?? []);
    return [...new Map(gates.map((gate) => [gate.test, gate])).values()];
  }

  async #open(host: Host, { phase }: PhaseWork, gates: readonly Gate[]): Promise<void> {
    if (gates.length > 0) await awaitGates(host, phase.name, gates, this.#company);
  }

  #tell({ phase }: PhaseWork, happening: PhaseHappening): void {
    this.#company.emit({ type: 'phase', host: this.#name, phase: phase.name, ...happening });
  }
}

type PhaseHappening = Happening extends infer H
  ? H extends { readonly type: 'phase' }
    ? Omit<H, 'type' | 'host' | 'phase'>
    : never
  : never;

const none: Waits = { takes: [], ends: [] };

const leftAsItIs = (host: string, phase: string, { host: other, cause }: Stop): Failure =>
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
