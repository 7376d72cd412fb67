import { Failure } from '../failure.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';
import { didYouMean } from '../inventory/did-you-mean.js';
import { routersOf } from '../network/segments-graph.js';

/** Something that can be lost at once. */
export interface Target {
  /** `router`: one that the inventory does not list, by its address. */
  readonly kind: 'host' | 'segment' | 'hypervisor' | 'router';
  readonly name: string;
}

/** What is gone, by name. */
export interface FailureScenario {
  readonly hosts: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  /** Managed or not, as `routersOf` names them. */
  readonly routers: ReadonlySet<string>;
}

/** As a user types it: `worker-00`, `segment=office`, `hypervisor=pve-00`, `router=192.168.10.1`. */
export const targetText = ({ kind, name }: Target): string => (kind === 'host' ? name : `${kind}=${name}`);

/** The target that a text names; throws `usage` with what there is where the cluster has no such thing. */
export const parseTarget = (cluster: Cluster, text: string): Target => {
  const targets = everyTarget(cluster);
  const found = targets.find((target) => targetText(target) === text || text === `host=${target.name}`);
  if (found !== undefined) return found;
  const meant = didYouMean(
    text,
    targets.map((target) => targetText(target)),
  );
  const next = meant === undefined ? whatThereIs(targets, text) : `Did you mean ${meant}?`;
  throw new Failure('usage', `nothing to lose is called ${text}`, { next });
};

/** Every single thing that a cluster can lose: hosts, segments, hypervisors, unlisted routers. */
export const everyTarget = (cluster: Cluster): readonly Target[] => [
  ...cluster.hosts.map(({ name }): Target => ({ kind: 'host', name })),
  ...cluster.network.segments.map(({ name }): Target => ({ kind: 'segment', name })),
  ...hypervisorsOf(cluster).map((name): Target => ({ kind: 'hypervisor', name })),
  ...unlisted(cluster).map(({ address }): Target => ({ kind: 'router', name: address })),
];

/** What goes with these targets. A router outlives the loss of a segment with its legs in the others. */
export const scenarioOf = (cluster: Cluster, targets: readonly Target[]): FailureScenario => {
  const named = (kind: Target['kind']): ReadonlySet<string> =>
    new Set(targets.filter((target) => target.kind === kind).map(({ name }) => name));
  const [hosts, segments, hypervisors, routers] = [
    named('host'),
    named('segment'),
    named('hypervisor'),
    named('router'),
  ];
  const isLost = (host: ClusterHost): boolean =>
    hosts.has(host.name) ||
    (host.hypervisor !== undefined && hypervisors.has(host.hypervisor)) ||
    (segments.has(host.segment) && !isRouter(host));
  const gone = cluster.hosts.filter(isLost);
  return {
    hosts: new Set(gone.map(({ name }) => name)),
    segments,
    routers: new Set([
      ...gone.filter(isRouter).map(({ name }) => name),
      ...unlisted(cluster)
        .filter(({ address }) => routers.has(address))
        .map(({ name }) => name),
    ]),
  };
};

const hypervisorsOf = (cluster: Cluster): readonly string[] => [
  ...new Set(cluster.hosts.flatMap(({ hypervisor }) => (hypervisor === undefined ? [] : [hypervisor]))),
];

/** In a single segment nobody needs the gateway for the cluster's own traffic. */
const unlisted = (cluster: Cluster): readonly { readonly name: string; readonly address: string }[] =>
  routersOf(cluster).flatMap(({ name, managed, addresses }) => {
    const [address, second] = Object.values(addresses);
    return managed || address === undefined || second === undefined ? [] : [{ name, address }];
  });

const whatThereIs = (targets: readonly Target[], text: string): string => {
  const [kind = ''] = text.includes('=') ? text.split('=') : ['host'];
  const same = targets.filter((target) => target.kind === kind).map((target) => targetText(target));
  if (same.length > 0) return `There is ${shortened(same)}.`;
  const kinds = [...new Set(targets.map((target) => target.kind))].map((one) => (one === 'host' ? 'HOST' : `${one}=…`));
  return `Write one of ${kinds.join(', ')}; there is ${shortened(targets.map((target) => targetText(target)))}.`;
};

const shown = 12;

const shortened = (names: readonly string[]): string =>
  names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
