import { defined } from '../defined.js';
import { nthAddress, parseCidr } from '../inventory/addresses.js';
import type { Cluster, ClusterHost, Role, Segment } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';
import { routersOf } from '../network/segments-graph.js';

/** One step of a change to an inventory, as data. */
export type ChangeStep =
  | { readonly kind: 'segment' }
  | { readonly kind: 'add'; readonly role: Role; readonly segment: string; readonly gpu?: ClusterHost['gpu'] }
  | { readonly kind: 'move'; readonly host: string; readonly segment: string }
  | { readonly kind: 'separate'; readonly host: string; readonly hypervisor: string }
  | { readonly kind: 'role'; readonly host: string; readonly role: Role }
  | { readonly kind: 'vip'; readonly segment: string }
  | { readonly kind: 'external' };

export type InventoryChange = readonly ChangeStep[];

/** The cost of a change, for comparison only: a role is cheaper than a move, a move than a machine or a segment. */
export const costOf = (change: InventoryChange): number =>
  change.reduce((sum, step) => sum + costs[step.kind] + (step.kind === 'add' && step.role === 'router' ? 1 : 0), 0);

const costs: Readonly<Record<ChangeStep['kind'], number>> = {
  role: 1,
  vip: 1,
  separate: 2,
  move: 3,
  add: 4,
  segment: 4,
  external: 12,
};

/** The name of a segment to add. No inventory has one of that name, which is no DNS label. */
export const newSegment = ({ network }: Cluster): string => `${ordinal(network.segments.length + 1)} segment`;

/** The cluster after that change: complete enough to be assessed, but not to be installed, and without routes. */
export const withChange = (cluster: Cluster, change: InventoryChange): Cluster => ({
  ...change.reduce(withStep, cluster),
  routes: {},
});

const withStep = (cluster: Cluster, step: ChangeStep): Cluster => {
  const { network, endpoint, hosts } = cluster;
  const edited = (name: string, edit: (host: ClusterHost) => ClusterHost): Cluster => ({
    ...cluster,
    hosts: hosts.map((host) => (host.name === name ? edit(host) : host)),
  });
  switch (step.kind) {
    case 'segment':
      return withSegment(cluster);
    case 'add':
      return { ...cluster, hosts: [...hosts, newHost(cluster, step)] };
    case 'move': {
      const address = freeAddress(cluster, step.segment);
      const was = hosts.find(({ name }) => name === step.host)?.address;
      const after = edited(step.host, (host) => ({ ...host, segment: step.segment, address }));
      return endpoint.address === was ? { ...after, endpoint: { ...endpoint, host: address, address } } : after;
    }
    case 'separate':
      return edited(step.host, ({ hypervisor: _, ...host }) => host);
    case 'role':
      return edited(step.host, (host) => ({ ...host, roles: [...host.roles, step.role] }));
    case 'vip':
      return { ...cluster, endpoint: { ...endpoint, vip: freeAddress(cluster, step.segment) } };
    case 'external': {
      const { vip: _, address: __, ...rest } = endpoint;
      return { ...cluster, network, endpoint: { ...rest, external: true } };
    }
  }
};

/** Both changes as one; a new segment is made once, and first. */
export const merged = (one: InventoryChange, other: InventoryChange): InventoryChange => {
  const steps = [...one, ...other];
  const rest = steps.filter(({ kind }) => kind !== 'segment');
  return rest.length === steps.length ? steps : [{ kind: 'segment' }, ...rest];
};

/** A change in words: `two more control planes in rack and in a third segment`. */
export const changeText = (cluster: Cluster, change: InventoryChange): string => {
  const texts = change.flatMap((step) => (step.kind === 'add' ? [] : (stepText(cluster, step) ?? [])));
  const roles: readonly Role[] = ['control-plane', 'load-balancer', 'router', 'dns', 'worker'];
  const added = roles.flatMap((role) => {
    const steps = change.flatMap((step) => (step.kind === 'add' && step.role === role ? [step] : []));
    return steps.length === 0 ? [] : [additionText(cluster, role, steps)];
  });
  return [...texts, ...added].join('; ');
};

const stepText = (cluster: Cluster, step: Exclude<ChangeStep, { kind: 'add' }>): string | undefined => {
  const { hosts } = cluster;
  switch (step.kind) {
    case 'segment':
      return undefined;
    case 'move': {
      const from = hosts.find(({ name }) => name === step.host)?.segment;
      return `${step.host} in ${step.segment} instead of ${from}`;
    }
    case 'separate':
      return `${step.host} on another hypervisor than ${step.hypervisor}`;
    case 'role':
      return `the role ${step.role} for ${step.host}`;
    case 'vip':
      return `a virtual address in ${step.segment}`;
    case 'external':
      return 'a load balancer outside the cluster (endpoint.external)';
  }
};

type Addition = Extract<ChangeStep, { kind: 'add' }>;

const additionText = (cluster: Cluster, role: Role, steps: readonly Addition[]): string => {
  const segments = [...new Set(steps.map(({ segment }) => segment))];
  const where = segments.map((segment) => `in ${segment}`).join(' and ');
  const noun = steps[0]?.gpu === undefined ? nouns[role] : 'GPU worker';
  if (role === 'router') {
    return `${ordinal(routersOf(cluster).length + 1)} router that joins all segments`;
  }
  const before = cluster.hosts.filter(({ roles }) => roles.includes(role)).length;
  if (steps.length > 1) return `${count(steps.length)}${before > 0 ? ' more' : ''} ${noun}s ${where}`;
  return `${role === 'worker' ? 'another' : ordinal(before + 1)} ${noun} ${where}`;
};

const nouns: Readonly<Record<Role, string>> = {
  'control-plane': 'control plane',
  'load-balancer': 'load balancer',
  dns: 'DNS server',
  worker: 'worker',
  router: 'router',
};

const ordinal = (n: number): string =>
  ['', 'a first', 'a second', 'a third', 'a fourth', 'a fifth', 'a sixth'][n] ?? 'another';

const count = (n: number): string => ['', 'one', 'two', 'three', 'four', 'five', 'six'][n] ?? String(n);

/** The addresses are those of RFC 5737: an assessment does not depend on them. */
const withSegment = (cluster: Cluster): Cluster => {
  const name = newSegment(cluster);
  const gateway = '198.51.100.1';
  const segment: Segment = { name, cidr: '198.51.100.0/24', gateway, podCidr: '', capacity: 1 };
  const router = cluster.hosts.find(isRouter)?.name;
  return {
    ...cluster,
    network: { ...cluster.network, segments: [...cluster.network.segments, segment] },
    hosts: cluster.hosts.map((host) =>
      host.name === router ? { ...host, addresses: { ...host.addresses, [name]: gateway } } : host,
    ),
  };
};

const newHost = (cluster: Cluster, { role, segment, gpu }: Addition): ClusterHost => {
  const address = freeAddress(cluster, segment);
  return {
    name: `new-${cluster.hosts.length}`,
    address,
    roles: [role],
    segment,
    addresses:
      role === 'router'
        ? Object.fromEntries(cluster.network.segments.map(({ name }) => [name, freeAddress(cluster, name)]))
        : {},
    labels: {},
    taints: [],
    ...defined({ gpu }),
    ssh: { transport: 'ssh', address, port: 22, user: 'root', become: 'none', keys: [], knownHosts: '' },
  };
};

/** The highest unused address of a segment. */
const freeAddress = ({ network, hosts, endpoint }: Cluster, segment: string): string => {
  const { cidr = '', gateway } = network.segments.find(({ name }) => name === segment) ?? {};
  const taken = new Set([
    gateway,
    endpoint.vip,
    ...hosts.flatMap(({ address, addresses }) => [address, ...Object.values(addresses)]),
  ]);
  for (let n = (parseCidr(cidr)?.size ?? 2) - 2; n > 0; n--) {
    const address = nthAddress(cidr, n);
    if (!taken.has(address)) return address;
  }
  return '';
};
