import { defined } from '../defined.js';
import { Failure, toProblem } from '../failure.js';
import { assumedFacts, type Facts, parseFacts } from '../hosts/facts/facts.js';
import { linkAddresses } from '../hosts/facts/link-address.js';
import { networkScript, parseNetwork } from '../hosts/facts/network.js';
import { factsScript } from '../hosts/facts/script.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { type Script, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Gate, Phase, PhaseContext, RollingUpdate } from '../phases/phase.js';
import { kindOf, nameOf } from '../resources/registry.js';
import type { Resource } from '../resources/resource.js';
import type { Emit } from './event.js';
import type { HostPhases, RunHosts } from './host-phases.js';
import { type Leftovers, leftoverQueries, leftoversOf } from './leftovers.js';
import { networkQuestions } from './network-questions.js';
import { previewQueries } from './preview.js';
import { type BatchQuery, type QueryResults, queryAll } from './query-batch.js';

export type { HostPhases, RunHosts } from './host-phases.js';

/** The observed state of the hosts of a run, as raw query results. Maps are by the name of the host. */
export interface Observation {
  /** The inputs of the observation, with the facts of each observed host. */
  readonly context: PhaseContext;
  readonly results: ReadonlyMap<string, QueryResults>;
  /** Hosts that could not be observed, with the reason. */
  readonly unreachable: ReadonlyMap<string, Failure>;
  readonly leftovers: ReadonlyMap<string, Leftovers>;
}

/** A `PhaseContext` without the facts of hosts, which `observe` adds. */
export type ContextInputs = Omit<PhaseContext, 'facts'>;

/** The facts of the hosts that were observed, by name, in the order of the inventory. */
export const observedFacts = ({
  context,
  results,
}: Pick<Observation, 'context' | 'results'>): ReadonlyMap<string, Facts> =>
  new Map(
    context.cluster.hosts
      .filter(({ name }) => results.has(name))
      .map(({ name }) => [name, context.facts(name)] as const),
  );

/** Throws where the script ended early: what it did not print would count as absent. */
const outputOf = (script: Script, found: QueryResults, host: string): string => {
  const { code, output } = found.get(script) ?? { code: 1, output: '' };
  if (code === 0) return output;
  throw new Failure('refused', 'the facts of the host could not be read', {
    where: { host, command: `sh (exit status ${code})` },
    why: lastLines(output, 3),
    next: `see what is wrong there: kbs ssh ${host}`,
  });
};

export interface ObserveOptions extends Pick<RunOptions, 'signal' | 'timeout'> {
  /** More queries for a host, run in the same round trip as the others. They may not depend on a prelude, the shell functions that kinds of resources share. */
  also?(host: ClusterHost): readonly BatchQuery[];
}

/**
 * Queries every host of a run, in parallel: its facts, its records, and the resources and gates of all its phases, in one
 * script. Which resources a phase has may depend on facts, so the queries are computed from assumed facts first; a second
 * script has the queries that the real facts add, and those of leftovers. A host that cannot be reached, or that does not
 * answer within `timeout` milliseconds, is in `unreachable` with the reason; no Failure of a host is thrown.
 */
export const observe = async (
  runHosts: RunHosts,
  inputs: ContextInputs,
  open: (host: ClusterHost) => Observer,
  emit: Emit,
  { signal, timeout = 120_000, also = () => [] }: ObserveOptions = {},
): Promise<Observation> => {
  const options = { timeout, ...defined({ signal }) };
  const unreachable = new Map<string, Failure>();
  const facts = new Map<string, Facts>();
  const results = new Map<string, QueryResults>();
  const leftovers = new Map<string, Leftovers>();
  const context: PhaseContext = { ...inputs, facts: (host) => facts.get(host) ?? assumedFacts };
  const assumed = (hostPhases: HostPhases) => queriesFor(hostPhases, context, desiredOf(hostPhases, context));
  const first = new Map(runHosts.map((hostPhases) => [hostPhases, assumed(hostPhases)]));

  const firstRound = async (hostPhases: HostPhases): Promise<void> => {
    const { host } = hostPhases;
    emit({ type: 'host', host: host.name, state: 'connecting' });
    const { preludes, queries } = first.get(hostPhases) ?? assumed(hostPhases);
    const network: BatchQuery = { name: 'network', script: networkScript(networkQuestions(host, inputs.cluster)) };
    const all = [factsQuery, network, ...leftoverQueries(hostPhases), ...also(host), ...queries];
    const found = await queryAll(open(host), preludes, all, options);
    const read = ({ script }: BatchQuery) => outputOf(script, found, host.name);
    const printed = read(factsQuery);
    facts.set(host.name, {
      ...parseFacts(printed),
      network: parseNetwork(read(network), linkAddresses(printed)),
    });
    results.set(host.name, found);
  };

  const secondRound = async (hostPhases: HostPhases): Promise<void> => {
    const { host } = hostPhases;
    const found = results.get(host.name);
    if (!found) return;
    const desired = desiredOf(hostPhases, context);
    const left = leftoversOf(hostPhases, context, found, desired);
    leftovers.set(host.name, left);
    const resources = [...desired, ...left.resources.map(({ resource }) => resource)];
    const { preludes, queries } = queriesFor(hostPhases, context, resources);
    const missing = [...queries.filter(({ script }) => !found.has(script)), ...previewQueries(desired, found)];
    const more = await queryAll(open(host), preludes, missing, options);
    results.set(host.name, new Map([...found, ...more]));
    emit({ type: 'host', host: host.name, state: 'observed' });
  };

  for (const round of [firstRound, secondRound]) {
    await Promise.all(
      runHosts.map((hostPhases) =>
        round(hostPhases).catch((error: unknown) => {
          const { name } = hostPhases.host;
          const failure = asFailure(error, name);
          unreachable.set(name, failure);
          emit({ type: 'host', host: name, state: 'failed', error: toProblem(failure) });
        }),
      ),
    );
  }
  return { context, results, unreachable, leftovers };
};

/**
 * The resources of a host by phase, in order. A resource that several phases have is listed under the first of them.
 * Throws an Error, a bug of kbs, where two phases desire different states of one resource.
 */
export const resourcesOf = (hostPhases: HostPhases, context: PhaseContext): ReadonlyMap<Phase, readonly Resource[]> => {
  const known = new Map<string, string>();
  return new Map(
    hostPhases.phases.map((phase) => [
      phase,
      phase.resources(hostPhases.host, context).filter((resource) => {
        const key = nameOf(resource);
        const desired = JSON.stringify(kindOf(resource).desired(resource));
        const before = known.get(key);
        if (before !== undefined && before !== desired) {
          throw new Error(`${hostPhases.host.name}: phase ${phase.name} and an earlier phase disagree about ${key}`);
        }
        known.set(key, desired);
        return before === undefined;
      }),
    ]),
  );
};

export const gatesOf = (hostPhases: HostPhases, phase: Phase, context: PhaseContext): readonly Gate[] =>
  phase.gates?.(hostPhases.host, context) ?? [];

export const rollingOf = (hostPhases: HostPhases, phase: Phase, context: PhaseContext): RollingUpdate | undefined =>
  phase.rolling?.(hostPhases.host, context);

const factsQuery: BatchQuery = { name: 'facts', script: factsScript };

const desiredOf = (hostPhases: HostPhases, context: PhaseContext): readonly Resource[] =>
  [...resourcesOf(hostPhases, context).values()].flat();

/** The queries of these resources, and of the gates of the host's phases. */
const queriesFor = (
  hostPhases: HostPhases,
  context: PhaseContext,
  resources: readonly Resource[],
): { preludes: readonly Script[]; queries: readonly BatchQuery[] } => {
  // The preconditions of a rolling update are not queried here: their result counts only while the host holds the slot.
  const gates = hostPhases.phases.flatMap((phase) => [
    ...gatesOf(hostPhases, phase, context),
    ...(rollingOf(hostPhases, phase, context)?.healthy ?? []),
  ]);
  return {
    preludes: [
      ...resources.map((resource) => kindOf(resource).prelude ?? sh``),
      ...gates.map((gate) => gate.prelude ?? sh``),
    ],
    queries: [
      ...resources.map((resource) => ({
        name: `${resource.kind} ${kindOf(resource).id(resource)}`,
        script: kindOf(resource).query(resource),
        ...defined({ callsApi: kindOf(resource).callsApi }),
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
