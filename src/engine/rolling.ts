import { setImmediate } from 'node:timers/promises';
import type { Failure } from '../failure.js';
import type { RollingUpdate } from '../phases/phase.js';
import { deferred } from './deferred.js';
import type { PhaseSteps } from './executable-plan.js';

export type Group = RollingUpdate['group'];

/** Consecutive phases of one host that it runs while it holds the slots of one or more groups. */
export interface RollingSpan {
  /** The groups whose slots the host acquires before the first of these phases. */
  readonly groups: readonly Group[];
  /** From the first phase that is part of a rolling update to the last, with all phases between them. */
  readonly phases: readonly PhaseSteps[];
}

/**
 * The rolling spans of one host. A slot is held from the first phase that needs it to the last. Spans of several groups
 * that overlap are merged into one, whose slots are acquired together: so a host that waits for a slot holds no other.
 */
export const rollingSpans = (phases: readonly PhaseSteps[]): readonly RollingSpan[] => {
  const spans: { first: number; last: number; groups: Set<Group> }[] = [];
  for (const [index, { rolling }] of phases.entries()) {
    if (!rolling) continue;
    const last = phases.findLastIndex((later) => later.rolling?.group === rolling.group);
    const open = spans.at(-1);
    if (open && index <= open.last) {
      open.last = Math.max(open.last, last);
      open.groups.add(rolling.group);
    } else spans.push({ first: index, last, groups: new Set([rolling.group]) });
  }
  return spans.map(({ first, last, groups }) => ({ groups: [...groups], phases: phases.slice(first, last + 1) }));
};

/** Why a group's rolling update is stopped: no host acquires its slot any more. */
export interface Halt {
  /** The host that failed while it held the slot. */
  readonly host: string;
  readonly cause: Failure;
}

/**
 * The slots of all groups in one run, one slot per group. A free slot goes to the host that comes first in `order` among
 * the hosts that wait for it; a host that does not wait for it yet is passed over.
 */
export class RollingGroups {
  readonly #order: readonly string[];
  readonly #holders = new Map<Group, string>();
  readonly #halts = new Map<Group, Halt>();
  readonly #waiting = new Map<string, readonly Group[]>();
  #woken = deferred();

  /** `order`: names of all hosts of the run, in the order of the inventory. */
  constructor(order: readonly string[]) {
    this.#order = order;
  }

  /**
   * Resolves with `undefined` once the host holds the slots of all these groups, or with the reason why the rolling update
   * of one of them is stopped; the host then holds none. Calls `onWait` with the name of the host that is waited for, again
   * whenever that is a different one.
   */
  async acquire(host: string, groups: readonly Group[], onWait: (other: string) => void): Promise<Halt | undefined> {
    this.#waiting.set(host, groups);
    // Several hosts may call this in the same tick. After it all of them are in #waiting, so that the order decides and not the call.
    await setImmediate();
    for (let announced: string | undefined; ; await this.#woken.promise) {
      const halt = groups.map((group) => this.#halts.get(group)).find((found) => found !== undefined);
      const other = this.#blockerOf(host, groups);
      if (halt || other === undefined) {
        this.#waiting.delete(host);
        // A later host may have waited only because this one came before it in the order.
        if (halt) this.#wake();
        else for (const group of groups) this.#holders.set(group, host);
        return halt;
      }
      if (other !== announced) onWait(other);
      announced = other;
    }
  }

  /** Frees the group's slot; does nothing where the host does not hold it. */
  release(host: string, group: Group): void {
    if (this.#holders.get(group) !== host) return;
    this.#holders.delete(group);
    this.#wake();
  }

  /** To be called when a host fails: stops the rolling update of every group whose slot the host holds. */
  halt(host: string, cause: Failure): void {
    const held = [...this.#holders].filter(([, holder]) => holder === host);
    for (const [group] of held) {
      this.#halts.set(group, { host, cause });
      this.release(host, group);
    }
  }

  /** The host that must come first: one that holds a slot of these groups, else one that waits for it and is earlier. */
  #blockerOf(host: string, groups: readonly Group[]): string | undefined {
    const holder = groups.map((group) => this.#holders.get(group)).find((found) => found !== undefined);
    const earlier = this.#order.slice(0, this.#order.indexOf(host));
    return holder ?? earlier.find((other) => this.#waiting.get(other)?.some((group) => groups.includes(group)));
  }

  /** Makes all waiting hosts check again. */
  #wake(): void {
    const woken = this.#woken;
    this.#woken = deferred();
    woken.resolve();
  }
}
