import { setImmediate } from 'node:timers/promises';
import type { Failure } from '../failure.js';
import type { RollingUpdate } from '../phases/phase.js';
import { deferred } from './deferred.js';
import type { PhaseSteps } from './executable-plan.js';

export type Group = RollingUpdate['group'];

/** A stretch of a host's way that it walks with turns in hand. */
export interface RollingSpan {
  readonly groups: readonly Group[];
  /** From the first phase that needs one of the turns to the last, with all that lie between. */
  readonly phases: readonly PhaseSteps[];
}

/**
 * A turn is held from the first phase that needs it to the last. Where turns of several groups overlap, they are one
 * hold and are taken together: a host that waits for a turn then holds none.
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

/** Why a group's turn is given to nobody any more. */
export interface Halt {
  readonly host: string;
  readonly cause: Failure;
}

/**
 * Who holds the turn of each group. The turn goes to the first in the given order of those that wait; nobody waits for
 * a host that has not come yet.
 */
export class RollingGroups {
  readonly #order: readonly string[];
  readonly #holders = new Map<Group, string>();
  readonly #halts = new Map<Group, Halt>();
  readonly #waiting = new Map<string, readonly Group[]>();
  #woken = deferred();

  constructor(order: readonly string[]) {
    this.#order = order;
  }

  /**
   * Resolves when the host holds the turns of all these groups, or with the reason why one of them was stopped.
   * Calls `onWait` with the host that is waited for, whenever that is another one.
   */
  async acquire(host: string, groups: readonly Group[], onWait: (other: string) => void): Promise<Halt | undefined> {
    this.#waiting.set(host, groups);
    // Hosts that have nothing to do before their turn come here together, and none is first by a hair.
    await setImmediate();
    for (let announced: string | undefined; ; await this.#woken.promise) {
      const halt = groups.map((group) => this.#halts.get(group)).find((found) => found !== undefined);
      const other = this.#inTheWayOf(host, groups);
      if (halt || other === undefined) {
        this.#waiting.delete(host);
        // Somebody may have waited for no more than this host's place in the order.
        if (halt) this.#wake();
        else for (const group of groups) this.#holders.set(group, host);
        return halt;
      }
      if (other !== announced) onWait(other);
      announced = other;
    }
  }

  release(host: string, group: Group): void {
    if (this.#holders.get(group) !== host) return;
    this.#holders.delete(group);
    this.#wake();
  }

  /** The host failed: every group whose turn it holds is stopped. */
  halt(host: string, cause: Failure): void {
    const held = [...this.#holders].filter(([, holder]) => holder === host);
    for (const [group] of held) {
      this.#halts.set(group, { host, cause });
      this.release(host, group);
    }
  }

  #inTheWayOf(host: string, groups: readonly Group[]): string | undefined {
    const holder = groups.map((group) => this.#holders.get(group)).find((found) => found !== undefined);
    const earlier = this.#order.slice(0, this.#order.indexOf(host));
    return holder ?? earlier.find((other) => this.#waiting.get(other)?.some((group) => groups.includes(group)));
  }

  #wake(): void {
    const woken = this.#woken;
    this.#woken = deferred();
    woken.resolve();
  }
}
