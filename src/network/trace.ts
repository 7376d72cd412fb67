import { contains, networkOf, nthAddress, prefixLength } from '../inventory/addresses.js';
import { type Cluster, isNode, isRouter, type KernelRoute, type RoutesByHost } from '../inventory/cluster.js';
import { unmanagedRouters } from './routes.js';
import { addressesOf } from './segments-graph.js';

/** What becomes of a packet: the machines it passes, without the first and the last, or why it does not arrive. */
export type Trace = { readonly through: readonly string[] } | TraceFault;

export interface TraceFault {
  readonly fault: 'no-route' | 'off-link' | 'nobody' | 'does-not-forward' | 'taken-for-local' | 'loop';
  /** The machine that the packet does not leave, or not towards its target. */
  readonly at: string;
  /** The next hop; for a loop the machines on it, the first one repeated at the end. */
  readonly next: readonly string[];
}

/** A host by name and the pod CIDR it serves. */
export interface Target {
  readonly name: string;
  readonly podCidr: string;
}

/** Follows packets from any machine to the pods of one host. */
export type Tracer = (target: Target) => (from: string) => Trace;

/**
 * Sets out all machines with their routing tables: the given routes by host name, the connected segments, and on all
 * but routers the default route via the segment's gateway. An unmanaged router is taken to hold what it needs. The
 * longest matching prefix decides, as in a kernel.
 */
export const tracerFor = (cluster: Cluster, routes: RoutesByHost): Tracer => {
  const machines = new Map(machinesOf(cluster, routes).map((machine) => [machine.name, machine]));
  const owners = ownersOf([...machines.values()]);
  return (target) => {
    const trip: Trip = { target, owners, match: matcherOf(target.podCidr), done: new Map(), pending: [] };
    return (from) => {
      const machine = machines.get(from);
      if (machine === undefined) throw new RangeError(`${from} is no machine of the cluster`);
      return follow(machine, trip);
    };
  };
};

interface Machine {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly forwards: boolean;
  /** By prefix length, longest first: entries by destination. */
  readonly table: readonly (readonly [number, ReadonlyMap<string, Entry>])[];
}

/** Connected, or via an address, which is right only where that is on-link. */
type Entry = 'connected' | { readonly via: string; readonly onLink: boolean };

interface Trip {
  readonly target: Target;
  readonly owners: ReadonlyMap<string, Machine>;
  /** The target's network under a prefix length. */
  readonly match: (length: number) => string;
  readonly done: Map<string, Trace>;
  readonly pending: Machine[];
}

/** Where a packet goes does not depend on where it comes from, so each machine is asked once per target. */
const follow = (machine: Machine, trip: Trip): Trace => {
  const known = trip.done.get(machine.name);
  if (known !== undefined) return known;
  trip.pending.push(machine);
  const journey = leave(machine, trip);
  trip.pending.pop();
  trip.done.set(machine.name, journey);
  return journey;
};

const leave = (machine: Machine, trip: Trip): Trace => {
  const at = machine.name;
  if (at === trip.target.name) return { through: [] };
  const entry = lookUp(machine, trip.match);
  if (entry === undefined) return { fault: 'no-route', at, next: [] };
  if (entry === 'connected') return { fault: 'taken-for-local', at, next: [] };
  if (!entry.onLink) return { fault: 'off-link', at, next: [entry.via] };
  const next = trip.owners.get(entry.via);
  if (next === undefined) return { fault: 'nobody', at, next: [entry.via] };
  if (next.name === trip.target.name) return { through: [] };
  if (!next.forwards) return { fault: 'does-not-forward', at, next: [next.name] };
  const loop = trip.pending.indexOf(next);
  if (loop >= 0) return { fault: 'loop', at, next: [...trip.pending.slice(loop), next].map(({ name }) => name) };
  const rest = follow(next, trip);
  return 'fault' in rest ? rest : { through: [next.name, ...rest.through] };
};

const lookUp = (machine: Machine, match: Trip['match']): Entry | undefined => {
  for (const [length, entries] of machine.table) {
    const entry = entries.get(match(length));
    if (entry !== undefined) return entry;
  }
  return undefined;
};

/** The network address of a pod CIDR stands for all of it: no compiled route is longer. */
const matcherOf = (podCidr: string): Trip['match'] => {
  const address = nthAddress(podCidr, 0);
  const networks = new Map<number, string>();
  return (length) => {
    const known = networks.get(length) ?? networkOf(`${address}/${length}`);
    networks.set(length, known);
    return known;
  };
};

const machinesOf = (cluster: Cluster, routes: RoutesByHost): readonly Machine[] => {
  const { segments } = cluster.network;
  const segmentOf = remembered((address) => segments.find(({ cidr }) => contains(cidr, address))?.name);
  const lengthOf = remembered(prefixLength);
  const machineOf = (
    name: string,
    addresses: Readonly<Record<string, string>>,
    forwards: boolean,
    wanted: readonly Pick<KernelRoute, 'to' | 'via'>[],
  ): Machine => {
    const table = new Map<number, Map<string, Entry>>();
    const add = (to: string, entry: Entry): void => {
      const entries = table.get(lengthOf(to)) ?? new Map<string, Entry>();
      table.set(lengthOf(to), entries.set(to, entry));
    };
    for (const { to, via } of wanted) add(to, { via, onLink: addresses[segmentOf(via) ?? ''] !== undefined });
    for (const { name: hostPhases, cidr } of segments) if (addresses[hostPhases] !== undefined) add(cidr, 'connected');
    const longestFirst = [...table].toSorted(([a], [b]) => b - a);
    return { name, addresses: Object.values(addresses), forwards, table: longestFirst };
  };
  const hosts = cluster.hosts.map((host) => {
    const gateway = isRouter(host) ? undefined : segments.find(({ name }) => name === host.segment)?.gateway;
    const fallback = gateway === undefined ? [] : [{ to: '0.0.0.0/0', via: gateway }];
    const wanted = [...fallback, ...(routes[host.name] ?? [])];
    return machineOf(host.name, addressesOf(host), isNode(host) || isRouter(host), wanted);
  });
  const unmanaged = unmanagedRouters(cluster).map((router) =>
    machineOf(router.name, router.addresses, true, router.routes),
  );
  return [...hosts, ...unmanaged];
};

const ownersOf = (machines: readonly Machine[]): ReadonlyMap<string, Machine> =>
  new Map(machines.toReversed().flatMap((machine) => machine.addresses.map((address) => [address, machine] as const)));

const remembered = <T>(ask: (text: string) => T): ((text: string) => T) => {
  const answers = new Map<string, { readonly answer: T }>();
  return (text) => {
    const known = answers.get(text) ?? { answer: ask(text) };
    answers.set(text, known);
    return known.answer;
  };
};
