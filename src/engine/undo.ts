import type { Phase } from '../phases/phase.js';
import { kindOf } from '../resources/registry.js';
import { type Resource, type State, type Step, step, type UnitResource } from '../resources/resource.js';
import { runAgain } from '../resources/unit.js';
import type { Change } from './plan.js';
import { type Leg, resourcesOf, type Survey } from './survey.js';
import { type PhaseWork, type PlannedChange, seenOf } from './work.js';

/**
 * A phase as one looks at it in order to undo it: what it put on the host, and nobody to wait for. Objects stay out of
 * it: they are the cluster's, whichever host they went through.
 */
export const asLeft = ({ name, promises, on, resources, leaves }: Phase): Phase => ({
  name,
  promises,
  on,
  resources: (host, site) => resources(host, site).filter(isOnHost),
  ...(leaves ? { leaves } : {}),
});

const isOnHost = ({ kind }: Resource): boolean => kind !== 'object' && kind !== 'absent';

/**
 * The work that leaves a host as it was found: first everything stands still, then phase by phase, last one first, each
 * kind takes away what it made and gives back what lay there, and then what programs left goes. What was never touched
 * is left alone. Pure; for phases that went through `asLeft`, in the order in which they were done. Throws where a look
 * failed: what was not seen would stay, and kbs's notes of it would go.
 */
export const undo = (leg: Leg, { site, answers }: Survey): readonly PhaseWork[] => {
  const seen = answers.get(leg.host.name) ?? new Map();
  const done = [...resourcesOf(leg, site)].toReversed();
  const works = done.map(([phase, resources]) =>
    work(phase, [
      ...resources.toReversed().flatMap((resource) => unmade(resource, seenOf(resource, seen, leg))),
      ...script('leftovers', phase, phase.leaves?.(leg.host, site).sweep),
    ]),
  );
  const halts = done.flatMap(([phase]) => script('processes', phase, phase.leaves?.(leg.host, site).halt));
  const units = done.flatMap(([, resources]) => resources.filter((resource) => resource.kind === 'unit'));
  return [work(stillness, halts), ...works, work(oblivion, [forget(units)])].filter(
    ({ changes }) => changes.length > 0,
  );
};

/** The names of the phases of `undo`, in its order: for who announces them. */
export const undoNames = (phases: readonly Phase[]): readonly string[] => [
  stillness.name,
  ...phases.toReversed().map(({ name }) => name),
  oblivion.name,
];

const moment = (name: string, promises: string): Phase => ({ name, promises, on: () => true, resources: () => [] });

const stillness = moment('stop', 'nothing of the cluster runs on the host');
const oblivion = moment('forget', 'the host knows nothing of kbs');

const work = (phase: Phase, changes: readonly PlannedChange[]): PhaseWork => ({
  phase: moment(phase.name, phase.promises),
  changes,
  gates: [],
  wait: false,
});

const unmade = (resource: Resource, seen: State | undefined): readonly PlannedChange[] => {
  const kind = kindOf(resource);
  return seen === undefined ? [] : change(resource.kind, kind.id(resource), kind.unmake(resource, seen));
};

const script = (kind: string, phase: Phase, text: string | undefined): readonly PlannedChange[] =>
  text === undefined ? [] : change(kind, phase.name, [step(`(\n${text}\n) </dev/null`)]);

const change = (kind: string, id: string, steps: readonly Step[]): readonly PlannedChange[] => {
  if (steps.length === 0) return [];
  const removal: Change = { kind, id, action: 'remove', differences: [] };
  return [{ change: removal, steps }];
};

/**
 * What ran before in the place of these units may run again now. What is left then are notes about what no phase of the
 * host stands for any more, and that nothing lay there before. A copy of what did lie there is never thrown away.
 */
const forget = (units: readonly UnitResource[]): PlannedChange => ({
  change: { kind: 'directory', id: '/var/lib/kbs', action: 'remove', differences: [] },
  steps: [
    ...units.map((unit) => step(runAgain(unit))),
    step(`rm -rf /var/lib/kbs/before/*.none /var/lib/kbs/stamps /var/lib/kbs/import
rmdir /var/lib/kbs/before /var/lib/kbs 2>/dev/null || :
rm -f /run/kbs.lock`),
  ],
});
