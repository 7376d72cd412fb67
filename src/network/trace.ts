import { contains, everywhere, familyOf, networkOf, nthAddress, prefixLength } from '../inventory/addresses.js';
import { type Cluster, isNode, isRouter, type KernelRoute, type RoutesByHost } from '../inventory/cluster.js';
import { unmanagedIn } from './routes.js';
import { addressesOf } from './segments-graph.js';

/** The path of a packet: the machines it passes, without the first and the last, or why it does not arrive. */
export type Trace = { readonly through: readonly string[] } | LostPacket;

export interface LostPacket {
  readonly reason: 'no-route' | 'off-link' | 'unknown-next-hop' | 'does-not-forward' | 'taken-for-local' | 'loop';
  /** The machine that drops the packet or sends it the wrong way. */
  readonly at: string;
  /** The next hop; for a loop the machines on it, the first one repeated at the end. */
  readonly next: readonly string[];
}

/** A host by name and the pod CIDR it serves. */
export interface PodDestination {
  readonly name: string;
  readonly podCidr: string;
}

/** Follows packets from any machine to the pods of one host. */
export type Tracer = (destination: PodDestination) => (from: string) => Trace;

/**
 * A model of all machines of one half of a cluster with their routing tables: the given routes of that family by host name, the connected segments, and on all
 * but routers the default route via the segment's gateway. An unmanaged router is assumed to have the routes it needs.
 * The longest matching prefix decides, as in a kernel.
 */
export const tracerFor = (cluster: Cluster, routes: RoutesByHost): Tracer => {
  const machines = new Map(machinesOf(cluster, routes).map((machine) => [machine.name, machine]));
  const owners = ownersOf([...machines.values()]);
  return (destination) => {
    const state: TraceState = {
      destination,
      owners,
      match: matcherOf(destination.podCidr),
      done: new Map(),
      pending: [],
    };
    return (from) => {
      const machine = machines.get(from);
      if (machine === undefined) throw new RangeError(`${from} is not a machine of the cluster`);
      return traceFrom(machine, state);
    };
  };
};

interface TracedMachine {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly forwards: boolean;
  /** By prefix length, longest first: entries by destination. */
  readonly table: readonly (readonly [number, ReadonlyMap<string, RouteEntry>])[];
}

/** Connected, or via an address; the kernel refuses one that is not on-link. */
type RouteEntry = 'connected' | { readonly via: string; readonly onLink: boolean };

interface TraceState {
  readonly destination: PodDestination;
  readonly owners: ReadonlyMap<string, TracedMachine>;
  /** The destination's network at a prefix length. */
  readonly match: (length: number) => string;
  /** Known traces, by machine. */
  readonly done: Map<string, Trace>;
  /** The machines on the path so far. */
  readonly pending: TracedMachine[];
}

/** The path from a machine does not depend on the path to it, so each machine is traced once per destination. */
const traceFrom = (machine: TracedMachine, state: TraceState): Trace => {
  const known = state.done.get(machine.name);
  if (known !== undefined) return known;
  state.pending.push(machine);
  const trace = forward(machine, state);
  state.pending.pop();
  state.done.set(machine.name, trace);
  return trace;
};

const forward = (machine: TracedMachine, state: TraceState): Trace => {
  const at = machine.name;
  if (at === state.destination.name) return { through: [] };
  const entry = lookUp(machine, state.match);
  if (entry === undefined) return { reason: 'no-route', at, next: [] };
  if (entry === 'connected') return { reason: 'taken-for-local', at, next: [] };
  if (!entry.onLink) return { reason: 'off-link', at, next: [entry.via] };
  const next = state.owners.get(entry.via);
  if (next === undefined) return { reason: 'unknown-next-hop', at, next: [entry.via] };
  if (next.name === state.destination.name) return { through: [] };
  if (!next.forwards) return { reason: 'does-not-forward', at, next: [next.name] };
  const loop = state.pending.indexOf(next);
  if (loop >= 0) return { reason: 'loop', at, next: [...state.pending.slice(loop), next].map(({ name }) => name) };
  const rest = traceFrom(next, state);
  return 'reason' in rest ? rest : { through: [next.name, ...rest.through] };
};

const lookUp = (machine: TracedMachine, match: TraceState['match']): RouteEntry | undefined => {
  for (const [length, entries] of machine.table) {
    const entry = entries.get(match(length));
    if (entry !== undefined) return entry;
  }
  return undefined;
};

/** The network address of a pod CIDR stands for all of it: no compiled route is longer. */
const matcherOf = (podCidr: string): TraceState['match'] => {
  const address = nthAddress(podCidr, 0);
  const networks = new Map<number, string>();
  return (length) => {
    const known = networks.get(length) ?? networkOf(`${address}/${length}`);
    networks.set(length, known);
    return known;
  };
};

const machinesOf = (cluster: Cluster, routes: RoutesByHost): readonly TracedMachine[] => {
  const { segments } = cluster.network;
  const segmentOf = memoized((address) => segments.find(({ cidr }) => contains(cidr, address))?.name);
  const lengthOf = memoized(prefixLength);
  const family = familyOf(cluster.network.pods);
  const machineOf = (
    name: string,
    addresses: Readonly<Record<string, string>>,
    forwards: boolean,
    wanted: readonly Pick<KernelRoute, 'to' | 'via'>[],
  ): TracedMachine => {
    const table = new Map<number, Map<string, RouteEntry>>();
    const add = (to: string, entry: RouteEntry): void => {
      const entries = table.get(lengthOf(to)) ?? new Map<string, RouteEntry>();
      table.set(lengthOf(to), entries.set(to, entry));
    };
    for (const { to, via } of wanted.filter((route) => familyOf(route.to) === family))
      add(to, { via, onLink: addresses[segmentOf(via) ?? ''] !== undefined });
    for (const segment of segments) if (addresses[segment.name] !== undefined) add(segment.cidr, 'connected');
    const longestFirst = [...table].toSorted(([a], [b]) => b - a);
    return { name, addresses: Object.values(addresses), forwards, table: longestFirst };
  };
  const hosts = cluster.hosts.map((host) => {
    const gateway = isRouter(host) ? undefined : segments.find(({ name }) => name === host.segment)?.gateway;
    const fallback = gateway === undefined ? [] : [{ to: everywhere[familyOf(gateway)], via: gateway }];
    const wanted = [...fallback, ...(routes[host.name] ?? [])];
    return machineOf(host.name, addressesOf(host), isNode(host) || isRouter(host), wanted);
  });
  const unmanaged = unmanagedIn(cluster).map((router) => machineOf(router.name, router.addresses, true, router.routes));
  return [...hosts, ...unmanaged];
};

const ownersOf = (machines: readonly TracedMachine[]): ReadonlyMap<string, TracedMachine> =>
  new Map(machines.toReversed().flatMap((machine) => machine.addresses.map((address) => [address, machine] as const)));

const memoized = <T>(compute: (text: string) => T): ((text: string) => T) => {
  const results = new Map<string, { readonly result: T }>();
  return (text) => {
    const known = results.get(text) ?? { result: compute(text) };
    results.set(text, known);
    return known.result;
  };
};
