import { Failure } from '../failure.js';
import { assumedFacts, type Facts, parseFacts } from '../hosts/facts.js';
import { factsScript } from '../hosts/facts-script.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate, Phase, Roll, Site } from '../phases/phase.js';
import { kindOf, nameOf, subjectOf } from '../resources/registry.js';
import type { Resource } from '../resources/resource.js';
import type { Emit } from './event.js';
import { type Answers, look, type Question } from './look.js';
import { problem } from './problem.js';

/** The hosts of a run, each with the phases that it walks. */
export type Itinerary = readonly Leg[];

export interface Leg {
  readonly host: ClusterHost;
  readonly phases: readonly Phase[];
}

/** What was seen of all hosts at one moment. */
export interface Survey {
  readonly site: Site;
  readonly answers: ReadonlyMap<string, Answers>;
  /** Hosts that could not be looked at, and why. */
  readonly unseen: ReadonlyMap<string, Failure>;
}

/** A site without the facts, which the survey finds. */
export type Ground = Omit<Site, 'facts'>;

/**
 * Looks at every host of the itinerary, in parallel, all resources of all phases and the host's facts in one script.
 * What to ask is computed from assumed facts; where the true ones lead to other questions, those alone are asked in a
 * second round. A host that does not answer within `timeout` milliseconds is set aside like one that cannot be reached.
 */
export const survey = async (
  itinerary: Itinerary,
  ground: Ground,
  observe: (host: ClusterHost) => Observer,
  emit: Emit,
  { signal, timeout = 120_000 }: Pick<RunOptions, 'signal' | 'timeout'> = {},
): Promise<Survey> => {
  const options = { timeout, ...(signal ? { signal } : {}) };
  const unseen = new Map<string, Failure>();
  const facts = new Map<string, Facts>();
  const answers = new Map<string, Answers>();
  const site: Site = { ...ground, facts: (host) => facts.get(host) ?? assumedFacts };
  const first = new Map(itinerary.map((leg) => [leg, asking(leg, site)]));
  const each = (visit: (leg: Leg) => Promise<void>) =>
    Promise.all(
      itinerary.map((leg) =>
        visit(leg).catch((error: unknown) => {
          const failure = asFailure(error, leg.host.name);
          unseen.set(leg.host.name, failure);
          emit({ type: 'host', host: leg.host.name, state: 'failed', error: problem(failure) });
        }),
      ),
    );

  await each(async (leg) => {
    emit({ type: 'host', host: leg.host.name, state: 'connecting' });
    const { preludes, questions } = first.get(leg) ?? asking(leg, site);
    const seen = await look(observe(leg.host), preludes, [factsQuestion, ...questions], options);
    facts.set(leg.host.name, parseFacts(seen.get(factsScript)?.output ?? ''));
    answers.set(leg.host.name, seen);
  });
  await each(async (leg) => {
    const seen = answers.get(leg.host.name);
    if (!seen) return;
    const { preludes, questions } = asking(leg, site);
    const missing = questions.filter(({ script }) => !seen.has(script));
    const more = await look(observe(leg.host), preludes, missing, options);
    answers.set(leg.host.name, new Map([...seen, ...more]));
    emit({ type: 'host', host: leg.host.name, state: 'looked' });
  });
  return { site, answers, unseen };
};

/** The resources of a leg, each once: phases may agree about a resource, and must not fight over it. */
export const resourcesOf = (leg: Leg, site: Site): ReadonlyMap<Phase, readonly Resource[]> => {
  const seen = new Map<string, string>();
  return new Map(
    leg.phases.map((phase) => [
      phase,
      phase.resources(leg.host, site).filter((resource) => {
        const key = nameOf(resource);
        const wanted = JSON.stringify(kindOf(resource).want(resource));
        const before = seen.get(key);
        if (before !== undefined && before !== wanted) {
          throw new Error(`${leg.host.name}: phase ${phase.name} and an earlier phase fight over ${key}`);
        }
        seen.set(key, wanted);
        return before === undefined;
      }),
    ]),
  );
};

export const gatesOf = (leg: Leg, phase: Phase, site: Site): readonly Gate[] => phase.gates?.(leg.host, site) ?? [];

export const rollOf = (leg: Leg, phase: Phase, site: Site): Roll | undefined => phase.rolls?.(leg.host, site);

const factsQuestion: Question = { name: 'facts', script: factsScript };

const asking = (leg: Leg, site: Site): { preludes: readonly string[]; questions: readonly Question[] } => {
  const resources = [...resourcesOf(leg, site).values()].flat();
  // Whether the others can do without this host is asked when its turn comes, and not now.
  const gates = leg.phases.flatMap((phase) => [
    ...gatesOf(leg, phase, site),
    ...(rollOf(leg, phase, site)?.serves ?? []),
  ]);
  return {
    preludes: [
      ...resources.map((resource) => kindOf(subjectOf(resource)).prelude ?? ''),
      ...gates.map((gate) => gate.prelude ?? ''),
    ],
    questions: [
      ...resources.map((resource) => ({
        name: `${resource.kind} ${kindOf(resource).id(resource)}`,
        script: kindOf(resource).look(resource),
      })),
      ...uniqueTests(gates),
    ],
  };
};

const uniqueTests = (gates: readonly Gate[]): readonly Question[] => [
  ...new Map(gates.map((gate) => [gate.test, { name: `gate ${gate.name}`, script: gate.test }])).values(),
];

const asFailure = (error: unknown, host: string): Failure => {
  if (error instanceof Failure) return error;
  throw error instanceof Error ? error : new Error(`${host}: ${String(error)}`);
};
