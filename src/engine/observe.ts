import { Failure, toProblem } from '../failure.js';
import { assumedFacts, type Facts, parseFacts } from '../hosts/facts/facts.js';
import { factsScript } from '../hosts/facts/script.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import { type Script, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate, Phase, PhaseContext, RollingUpdate } from '../phases/phase.js';
import { kindOf, nameOf } from '../resources/registry.js';
import type { Resource } from '../resources/resource.js';
import type { Emit } from './event.js';
import type { HostPhases, RunHosts } from './host-phases.js';
import { type Leftovers, leftoverQuestions, leftoversOf, noLeftovers } from './prune.js';
import { type BatchQuery, type QueryResults, queryAll } from './query-batch.js';

export type { HostPhases, RunHosts } from './host-phases.js';

/** What was seen of all hosts at one moment. */
export interface Observation {
  readonly context: PhaseContext;
  readonly answers: ReadonlyMap<string, QueryResults>;
  /** Hosts that could not be looked at, and why. */
  readonly unreachable: ReadonlyMap<string, Failure>;
  /** By host. */
  readonly leftovers: ReadonlyMap<string, Leftovers>;
}

/** A site without the facts, which the survey finds. */
export type ContextInputs = Omit<PhaseContext, 'facts'>;

export interface ObserveOptions extends Pick<RunOptions, 'signal' | 'timeout'> {
  /** What else a host is asked, in the same round trip. Each stands alone: it needs no prelude. */
  also?(host: ClusterHost): readonly BatchQuery[];
}

/**
 * Looks at every host of the itinerary, in parallel, all resources of all phases and the host's facts in one script.
 * What to ask is computed from assumed facts; where the true ones lead to other questions, those alone are asked in a
 * second round. A host that does not answer within `timeout` milliseconds is set aside like one that cannot be reached.
 */
export const observe = async (
  runHosts: RunHosts,
  ground: ContextInputs,
  observe: (host: ClusterHost) => Observer,
  emit: Emit,
  { signal, timeout = 120_000, also = () => [] }: ObserveOptions = {},
): Promise<Observation> => {
  const options = { timeout, ...(signal ? { signal } : {}) };
  const unreachable = new Map<string, Failure>();
  const facts = new Map<string, Facts>();
  const answers = new Map<string, QueryResults>();
  const leftovers = new Map<string, Leftovers>();
  const context: PhaseContext = { ...ground, facts: (host) => facts.get(host) ?? assumedFacts };
  const first = new Map(runHosts.map((hostPhases) => [hostPhases, questionsFor(hostPhases, context)]));
  const each = (visit: (hostPhases: HostPhases) => Promise<void>) =>
    Promise.all(
      runHosts.map((hostPhases) =>
        visit(hostPhases).catch((error: unknown) => {
          const failure = asFailure(error, hostPhases.host.name);
          unreachable.set(hostPhases.host.name, failure);
          emit({ type: 'host', host: hostPhases.host.name, state: 'failed', error: toProblem(failure) });
        }),
      ),
    );

  await each(async (hostPhases) => {
    emit({ type: 'host', host: hostPhases.host.name, state: 'connecting' });
    const { preludes, questions } = first.get(hostPhases) ?? questionsFor(hostPhases, context);
    const seen = await queryAll(
      observe(hostPhases.host),
      preludes,
      [factsQuestion, ...leftoverQuestions(hostPhases), ...also(hostPhases.host), ...questions],
      options,
    );
    facts.set(hostPhases.host.name, parseFacts(seen.get(factsScript)?.output ?? ''));
    answers.set(hostPhases.host.name, seen);
  });
  await each(async (hostPhases) => {
    const seen = answers.get(hostPhases.host.name);
    if (!seen) return;
    const left = leftoversOf(hostPhases, context, seen);
    leftovers.set(hostPhases.host.name, left);
    const { preludes, questions } = questionsFor(hostPhases, context, left);
    const missing = questions.filter(({ script }) => !seen.has(script));
    const more = await queryAll(observe(hostPhases.host), preludes, missing, options);
    answers.set(hostPhases.host.name, new Map([...seen, ...more]));
    emit({ type: 'host', host: hostPhases.host.name, state: 'observed' });
  });
  return { context, answers, unreachable, leftovers };
};

/** The resources of a leg, each once: phases may agree about a resource, and must not fight over it. */
export const resourcesOf = (hostPhases: HostPhases, context: PhaseContext): ReadonlyMap<Phase, readonly Resource[]> => {
  const seen = new Map<string, string>();
  return new Map(
    hostPhases.phases.map((phase) => [
      phase,
      phase.resources(hostPhases.host, context).filter((resource) => {
        const key = nameOf(resource);
        const wanted = JSON.stringify(kindOf(resource).desired(resource));
        const before = seen.get(key);
        if (before !== undefined && before !== wanted) {
          throw new Error(`${hostPhases.host.name}: phase ${phase.name} and an earlier phase fight over ${key}`);
        }
        seen.set(key, wanted);
        return before === undefined;
      }),
    ]),
  );
};

export const gatesOf = (hostPhases: HostPhases, phase: Phase, context: PhaseContext): readonly Gate[] =>
  phase.gates?.(hostPhases.host, context) ?? [];

export const rollingOf = (hostPhases: HostPhases, phase: Phase, context: PhaseContext): RollingUpdate | undefined =>
  phase.rolling?.(hostPhases.host, context);

const factsQuestion: BatchQuery = { name: 'facts', script: factsScript };

const questionsFor = (
  hostPhases: HostPhases,
  context: PhaseContext,
  leftovers: Leftovers = noLeftovers,
): { preludes: readonly Script[]; questions: readonly BatchQuery[] } => {
  const wanted = [...resourcesOf(hostPhases, context).values()].flat();
  const resources = [...wanted, ...leftovers.resources.map(({ resource }) => resource)];
  // Whether the others can do without this host is asked when its turn comes, and not now.
  const gates = hostPhases.phases.flatMap((phase) => [
    ...gatesOf(hostPhases, phase, context),
    ...(rollingOf(hostPhases, phase, context)?.healthy ?? []),
  ]);
  return {
    preludes: [
      ...resources.map((resource) => kindOf(resource).prelude ?? sh``),
      ...gates.map((gate) => gate.prelude ?? sh``),
    ],
    questions: [
      ...resources.map((resource) => ({
        name: `${resource.kind} ${kindOf(resource).id(resource)}`,
        script: kindOf(resource).query(resource),
      })),
      ...uniqueTests(gates),
    ],
  };
};

const uniqueTests = (gates: readonly Gate[]): readonly BatchQuery[] => [
  ...new Map(gates.map((gate) => [gate.test, { name: `gate ${gate.name}`, script: gate.test }])).values(),
];

const asFailure = (error: unknown, host: string): Failure => {
  if (error instanceof Failure) return error;
  throw error instanceof Error ? error : new Error(`${host}: ${String(error)}`);
};
