import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { controlPlanes, isDns, isRouter, isWorker, loadBalancers } from '../inventory/cluster.js';
import type { Aspect } from './aspects.js';
import { type Change, merged, newSegment, type Step } from './change.js';
import type { FailureScenario } from './failure-scenario.js';

/** What may help that aspect. */
export const changesFor = (aspect: Aspect, cluster: Cluster, lost: FailureScenario): readonly Change[] => {
  const parting = partings(cluster, lost);
  const routers = routerChanges(cluster);
  switch (aspect) {
    case 'etcd':
      return [...parting, ...planeChanges(cluster), ...routers];
    case 'api':
      return [...parting, ...balancerChanges(cluster), ...planeChanges(cluster), ...routers];
    case 'dns':
      return [...parting, ...dnsChanges(cluster), ...routers];
    case 'routes':
      return [...parting, ...routers];
    case 'workers':
      return [...parting, ...workerChanges(cluster), ...routers];
    case 'gpu':
      return [...parting, ...gpuChanges(cluster), ...routers];
  }
};

/** Guests that are lost with their hypervisor may live on another one. */
const partings = ({ hosts }: Cluster, lost: FailureScenario): readonly Change[] =>
  hosts.flatMap(({ name, hypervisor, roles }): readonly Change[] =>
    hypervisor === undefined || !lost.hosts.has(name) || roles.every((role) => role === 'worker')
      ? []
      : [[{ kind: 'part', host: name, hypervisor }]],
  );

/** Steps towards a place: every segment, and one that would have to be made. */
const into = (cluster: Cluster, steps: (segment: string) => Change): readonly Change[] => {
  const fresh = newSegment(cluster);
  const known = cluster.network.segments.map(({ name }) => steps(name));
  // With a single segment there is no router that a second one could use.
  return cluster.network.segments.length > 1 ? [...known, merged([{ kind: 'segment' }], steps(fresh))] : known;
};

/** One moves, or two are added, so that the number stays odd; with the endpoint that several need. */
const planeChanges = (cluster: Cluster): readonly Change[] => {
  const added = (segment: string): Step => ({ kind: 'add', role: 'control-plane', segment });
  const moves = oneOfEach(controlPlanes(cluster)).flatMap(({ name, segment }) =>
    into(cluster, (to) => [{ kind: 'move', host: name, segment: to }]).filter(
      (change) => !change.some((step) => step.kind === 'move' && step.segment === segment),
    ),
  );
  const singly = into(cluster, (segment) => [added(segment)]);
  const pairs = singly.flatMap((one, index) => singly.slice(index).map((other) => merged(one, other)));
  const endpoints = endpointsFor(cluster);
  return [...moves, ...pairs.flatMap((pair) => endpoints.map((endpoint) => merged(pair, endpoint)))];
};

/** Of hosts in the same segment and hypervisor, the first: to move another one would come to the same. */
const oneOfEach = (hosts: readonly ClusterHost[]): readonly ClusterHost[] =>
  [
    ...new Map(
      hosts.toReversed().map((host) => [JSON.stringify([host.segment, host.hypervisor, host.roles]), host]),
    ).values(),
  ].toReversed();

/** What a second control plane needs besides itself: nothing, or a way to reach either. */
const endpointsFor = (cluster: Cluster): readonly Change[] => {
  const { vip, name, external } = cluster.endpoint;
  const home = controlPlanes(cluster)[0]?.segment;
  if (vip !== undefined || name !== undefined || external || home === undefined) return [[]];
  return [virtualAddress(home), [{ kind: 'external' }]];
};

const balancerChanges = (cluster: Cluster): readonly Change[] => {
  const { vip, external } = cluster.endpoint;
  if (external) return [];
  const home = loadBalancers(cluster)[0]?.segment;
  const own: readonly Change[] =
    vip === undefined || home === undefined
      ? cluster.network.segments.map(({ name }) => virtualAddress(name))
      : [[balancer(home)]];
  return [...own, [{ kind: 'external' }]];
};

/** It takes two to hold one. */
const virtualAddress = (segment: string): Change => [{ kind: 'vip', segment }, balancer(segment), balancer(segment)];

const balancer = (segment: string): Step => ({ kind: 'add', role: 'load-balancer', segment });

/** A machine that serves the cluster already may answer names too. */
const dnsChanges = (cluster: Cluster): readonly Change[] => [
  ...cluster.hosts
    .filter((host) => !isDns(host) && !isWorker(host) && !isRouter(host))
    .map(({ name }): Change => [{ kind: 'role', host: name, role: 'dns' }]),
  ...into(cluster, (segment) => [{ kind: 'add', role: 'dns', segment }]),
];

const workerChanges = (cluster: Cluster): readonly Change[] =>
  where(cluster, isWorker).map((segment) => [{ kind: 'add', role: 'worker', segment }]);

const gpuChanges = (cluster: Cluster): readonly Change[] => {
  const gpu = cluster.hosts.find((host) => host.gpu !== undefined)?.gpu;
  if (gpu === undefined) return [];
  return where(cluster, (host) => host.gpu !== undefined).map((segment) => [
    { kind: 'add', role: 'worker', segment, gpu },
  ]);
};

/** All segments, those with most such hosts first. */
const where = ({ network, hosts }: Cluster, such: (host: ClusterHost) => boolean): readonly string[] => {
  const members = (name: string): number => hosts.filter((host) => host.segment === name && such(host)).length;
  return network.segments.map(({ name }) => name).toSorted((a, b) => members(b) - members(a));
};

/** Behind the gateways that there are: it takes over when one of them is gone. */
const routerChanges = (cluster: Cluster): readonly Change[] => {
  const [first, second] = cluster.network.segments;
  return first === undefined || second === undefined ? [] : [[{ kind: 'add', role: 'router', segment: first.name }]];
};
