import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply } from '../../src/engine/apply.js';
import type { Outcome } from '../../src/engine/apply-context.js';
import type { EventData } from '../../src/engine/event.js';
import type { ExecutableHostPlan, ExecutablePlan, PhaseSteps } from '../../src/engine/executable-plan.js';
import type { Host } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { Gate, RollingUpdate } from '../../src/phases/phase.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';
import { phase } from './engine-harness.js';

const names = ['a', 'b', 'c', 'd'];
const phaseNames = ['one', 'two', 'three', 'four', 'five'];
const groups: readonly RollingUpdate['group'][] = ['control-plane', 'load-balancer', 'dns'];
const open: Gate = { name: 'open', test: sh`:`, timeoutSeconds: 1 };

/** What one phase of one host does. */
interface Seed {
  readonly changes: boolean;
  readonly serves: boolean;
  readonly fails: boolean;
  /** The index in `names` of the host that the phase's gate is about; null where the phase has no gate. */
  readonly about: number | null;
  /** How long its script takes, in iterations of the event loop. */
  readonly ticks: number;
}

const anySeed: fc.Arbitrary<Seed> = fc.record({
  changes: fc.boolean(),
  serves: fc.boolean(),
  fails: fc.integer({ min: 0, max: 9 }).map((lot) => lot === 0),
  about: fc.option(fc.nat(3), { freq: 4 }),
  ticks: fc.nat(5),
});

const anyFleet = fc.record({
  /** The group of each phase's rolling update. */
  rolls: fc.array(fc.option(fc.constantFrom(...groups), { freq: 3 }), { minLength: 5, maxLength: 5 }),
  hosts: fc.array(fc.array(anySeed, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
});
type Fleet = typeof anyFleet extends fc.Arbitrary<infer T> ? T : never;

/** Drops gates that are about later hosts: hosts that wait only for earlier ones are in no cycle. */
const forward = ({ rolls, hosts }: Fleet): Fleet => ({
  rolls,
  hosts: hosts.map((seeds, own) =>
    seeds.map((seed) => ({
      ...seed,
      about: seed.about !== null && seed.about < own ? seed.about : null,
    })),
  ),
});

const workOf = ({ rolls, hosts }: Fleet): ExecutablePlan =>
  hosts.map((seeds, index): ExecutableHostPlan => {
    const phases = seeds.map((seed, at) => phaseWork(phaseNames[at] ?? '', seed, rolls[at] ?? undefined));
    const host = hostOf({ name: names[index] ?? '', address: '192.168.10.10', segment: 'office' });
    return { hostPhases: { host, phases: phases.map((work) => work.phase) }, phases };
  });

const phaseWork = (name: string, seed: Seed, group: RollingUpdate['group'] | undefined): PhaseSteps => {
  const rolling =
    group && seed.changes && seed.serves ? { rolling: { group, preconditions: [open], healthy: [open] } } : {};
  return {
    phase: phase(name, []),
    changes: seed.changes ? [{ change: { kind: 'task', id: name, action: 'create', differences: [] }, steps: [] }] : [],
    gates: seed.about === null ? [] : [{ gate: { ...open, afterHost: names[seed.about] ?? '' }, open: false }],
    waitOnly: false,
    ...rolling,
  };
};

const ticks = async (count: number) => {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Applies the fleet's plan on simulated hosts, whose scripts take and fail as the seeds say. */
const run = async (fleet: Fleet): Promise<{ events: readonly EventData[]; outcome: Outcome | 'hangs' | 'refused' }> => {
  const events: EventData[] = [];
  const host = (name: string): Host => {
    const seeds = fleet.hosts[names.indexOf(name)] ?? [];
    const seedNow = () => {
      const begun = events.findLast((event) => event.type === 'phase' && event.host === name);
      return seeds[phaseNames.indexOf(begun?.type === 'phase' ? begun.phase : '')];
    };
    const answer = async (code: number) => {
      await ticks(seedNow()?.ticks ?? 0);
      return { code, stdout: '', stderr: '' };
    };
    return { name, query: () => answer(0), mutate: () => answer(seedNow()?.fails ? 1 : 0) };
  };
  const applyContext = {
    context: contextOf(clusterOf()),
    open: ({ name }: { name: string }) => host(name),
    emit: (event: EventData) => events.push(event),
    signal: new AbortController().signal,
  };
  // All scripts of the largest fleet together take fewer iterations.
  const hangs = ticks(2000).then(() => 'hangs' as const);
  const outcome = apply(workOf(fleet), applyContext).catch((error: unknown) => {
    expect(String(error)).toContain('wait for each other without end');
    return 'refused' as const;
  });
  return { events, outcome: await Promise.race([outcome, hangs]) };
};

/** Where the events show two holders of a group's slot at once, or a host that changed after its group was stopped. */
const violations = (work: ExecutablePlan, events: readonly EventData[]): readonly string[] => {
  const holders = new Map<string, string>();
  const stopped = new Set<string>();
  const found: string[] = [];
  for (const event of events) {
    if (event.type !== 'phase' || event.state === 'waiting') continue;
    const phases = work.find(({ hostPhases }) => hostPhases.host.name === event.host)?.phases ?? [];
    const at = phases.findIndex((each) => each.phase.name === event.phase);
    for (const group of groups) {
      const first = phases.findIndex(({ rolling }) => rolling?.group === group);
      const last = phases.findLastIndex(({ rolling }) => rolling?.group === group);
      if (first < 0 || at < first || at > last) continue;
      if (event.state === 'started') {
        const holder = holders.get(group) ?? event.host;
        if (holder !== event.host) found.push(`${group}: ${event.host} while ${holder} holds the slot`);
        if (stopped.has(group)) found.push(`${group}: ${event.host} changes after the group was stopped`);
        holders.set(group, event.host);
      } else if (holders.get(group) === event.host && (event.state === 'failed' || at === last)) {
        holders.delete(group);
        if (event.state === 'failed') stopped.add(group);
      }
    }
  }
  return found;
};

test('a slot has one holder at a time, no slot is granted after a failure, and every run ends', async () => {
  await fc.assert(
    fc.asyncProperty(anyFleet.map(forward), async (fleet) => {
      const { events, outcome } = await run(fleet);
      expect(outcome).toBeInstanceOf(Map);
      expect(violations(workOf(fleet), events)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('with any dependencies between hosts, a run ends or is refused before anything begins', async () => {
  await fc.assert(
    fc.asyncProperty(anyFleet, async (fleet) => {
      const { events, outcome } = await run(fleet);
      expect(outcome).not.toBe('hangs');
      if (outcome === 'refused') expect(events).toEqual([]);
      expect(violations(workOf(fleet), events)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('where no host fails and the dependencies have no cycle, all changes are applied', async () => {
  const well = ({ rolls, hosts }: Fleet): Fleet => ({
    rolls,
    hosts: hosts.map((seeds) => seeds.map((seed) => ({ ...seed, fails: false }))),
  });
  await fc.assert(
    fc.asyncProperty(anyFleet.map(forward).map(well), async (fleet) => {
      const { events } = await run(fleet);
      const done = events.filter((event) => event.type === 'phase' && event.state === 'done' && event.changes > 0);
      expect(done).toHaveLength(fleet.hosts.flat().filter(({ changes }) => changes).length);
    }),
  );
});
