import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { controlPlanes, isDns, isRouter, isWorker, loadBalancers } from '../inventory/cluster.js';
import type { Aspect } from './aspects.js';
import { type ChangeStep, type InventoryChange, merged, newSegment } from './change.js';
import type { FailureScenario } from './failure-scenario.js';

/** The changes that may fix that aspect. */
export const changesFor = (aspect: Aspect, cluster: Cluster, scenario: FailureScenario): readonly InventoryChange[] => {
  const separate = separations(cluster, scenario);
  const routers = routerChanges(cluster);
  switch (aspect) {
    case 'etcd':
      return [...separate, ...planeChanges(cluster), ...routers];
    case 'api':
      return [...separate, ...balancerChanges(cluster), ...planeChanges(cluster), ...routers];
    case 'dns':
      return [...separate, ...dnsChanges(cluster), ...routers];
    case 'routes':
      return [...separate, ...routers];
    case 'workers':
      return [...separate, ...workerChanges(cluster), ...routers];
    case 'gpu':
      return [...separate, ...gpuChanges(cluster), ...routers];
    case 'forwards':
      return [...separate, ...balancerChanges(cluster), ...workerChanges(cluster), ...routers];
  }
};

/** Guests that fail with their hypervisor may run on another one. */
const separations = ({ hosts }: Cluster, scenario: FailureScenario): readonly InventoryChange[] =>
  hosts.flatMap(({ name, hypervisor, roles }): readonly InventoryChange[] =>
    hypervisor === undefined || !scenario.hosts.has(name) || roles.every((role) => role === 'worker')
      ? []
      : [[{ kind: 'separate', host: name, hypervisor }]],
  );

/** The change for every segment, and for a new one. */
const perSegment = (cluster: Cluster, steps: (segment: string) => InventoryChange): readonly InventoryChange[] => {
  const added = newSegment(cluster);
  const known = cluster.network.segments.map(({ name }) => steps(name));
  // With a single segment there is no router that a second one could use.
  return cluster.network.segments.length > 1 ? [...known, merged([{ kind: 'segment' }], steps(added))] : known;
};

/** One moves, or two are added, which keeps the number odd; with the endpoint that several need. */
const planeChanges = (cluster: Cluster): readonly InventoryChange[] => {
  const added = (segment: string): ChangeStep => ({ kind: 'add', role: 'control-plane', segment });
  const moves = oneOfEach(controlPlanes(cluster)).flatMap(({ name, segment }) =>
    perSegment(cluster, (to) => [{ kind: 'move', host: name, segment: to }]).filter(
      (change) => !change.some((step) => step.kind === 'move' && step.segment === segment),
    ),
  );
  const singly = perSegment(cluster, (segment) => [added(segment)]);
  const pairs = singly.flatMap((one, index) => singly.slice(index).map((other) => merged(one, other)));
  const endpoints = endpointsFor(cluster);
  return [...moves, ...pairs.flatMap((pair) => endpoints.map((endpoint) => merged(pair, endpoint)))];
};

/** The first of the hosts in the same segment and on the same hypervisor: moving another one has the same effect. */
const oneOfEach = (hosts: readonly ClusterHost[]): readonly ClusterHost[] =>
  [
    ...new Map(
      hosts.toReversed().map((host) => [JSON.stringify([host.segment, host.hypervisor, host.roles]), host]),
    ).values(),
  ].toReversed();

/** What a second control plane needs besides itself: nothing, or an endpoint in front of both. */
const endpointsFor = (cluster: Cluster): readonly InventoryChange[] => {
  const { vip, name, external } = cluster.endpoint;
  const home = controlPlanes(cluster)[0]?.segment;
  if (vip !== undefined || name !== undefined || external || home === undefined) return [[]];
  return [virtualAddress(home), [{ kind: 'external' }]];
};

const balancerChanges = (cluster: Cluster): readonly InventoryChange[] => {
  const { vip, external } = cluster.endpoint;
  if (external) return [];
  const home = loadBalancers(cluster)[0]?.segment;
  const own: readonly InventoryChange[] =
    vip === undefined || home === undefined
      ? cluster.network.segments.map(({ name }) => virtualAddress(name))
      : [[balancer(home)]];
  return [...own, [{ kind: 'external' }]];
};

/** With two load balancers to hold it. */
const virtualAddress = (segment: string): InventoryChange => [
  { kind: 'vip', segment },
  balancer(segment),
  balancer(segment),
];

const balancer = (segment: string): ChangeStep => ({ kind: 'add', role: 'load-balancer', segment });

/** A control plane or a load balancer may become a DNS server too. */
const dnsChanges = (cluster: Cluster): readonly InventoryChange[] => [
  ...cluster.hosts
    .filter((host) => !isDns(host) && !isWorker(host) && !isRouter(host))
    .map(({ name }): InventoryChange => [{ kind: 'role', host: name, role: 'dns' }]),
  ...perSegment(cluster, (segment) => [{ kind: 'add', role: 'dns', segment }]),
];

const workerChanges = (cluster: Cluster): readonly InventoryChange[] =>
  segmentsByCount(cluster, isWorker).map((segment) => [{ kind: 'add', role: 'worker', segment }]);

const gpuChanges = (cluster: Cluster): readonly InventoryChange[] => {
  const gpu = cluster.hosts.find((host) => host.gpu !== undefined)?.gpu;
  if (gpu === undefined) return [];
  return segmentsByCount(cluster, (host) => host.gpu !== undefined).map((segment) => [
    { kind: 'add', role: 'worker', segment, gpu },
  ]);
};

/** All segments, those with the most such hosts first. */
const segmentsByCount = ({ network, hosts }: Cluster, matches: (host: ClusterHost) => boolean): readonly string[] => {
  const members = (name: string): number => hosts.filter((host) => host.segment === name && matches(host)).length;
  return network.segments.map(({ name }) => name).toSorted((a, b) => members(b) - members(a));
};

/** Besides the gateways: it takes over when one of them is down. */
const routerChanges = (cluster: Cluster): readonly InventoryChange[] => {
  const [first, second] = cluster.network.segments;
  return first === undefined || second === undefined ? [] : [[{ kind: 'add', role: 'router', segment: first.name }]];
};
