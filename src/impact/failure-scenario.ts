import { Failure } from '../failure.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { isRouter } from '../inventory/cluster.js';
import { didYouMean, shortList } from '../inventory/did-you-mean.js';
import { routersOf } from '../network/segments-graph.js';

/** Something that fails as a whole. */
export interface FailureDomain {
  /** `router`: one that the inventory does not list, by its address. */
  readonly kind: 'host' | 'segment' | 'hypervisor' | 'router';
  readonly name: string;
}

/** What is down, by name. */
export interface FailureScenario {
  readonly hosts: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  /** Managed or not, as `routersOf` names them. */
  readonly routers: ReadonlySet<string>;
}

/** As a user types it: `worker-00`, `segment=office`, `hypervisor=pve-00`, `router=192.168.10.1`. */
export const failureDomainText = ({ kind, name }: FailureDomain): string =>
  kind === 'host' ? name : `${kind}=${name}`;

/** The failure domain that a text names; throws `usage` with what there is where the cluster has none of that name. */
export const parseFailureDomain = (cluster: Cluster, text: string): FailureDomain => {
  const domains = allFailureDomains(cluster);
  const found = domains.find((domain) => failureDomainText(domain) === text || text === `host=${domain.name}`);
  if (found !== undefined) return found;
  const meant = didYouMean(text, domains.map(failureDomainText));
  const next = meant === undefined ? whatThereIs(domains, text) : `did you mean ${meant}?`;
  throw new Failure('usage', `the inventory has no host, segment, hypervisor or router ${text}`, { next });
};

/** Every host, segment, hypervisor and unlisted router of a cluster. */
export const allFailureDomains = (cluster: Cluster): readonly FailureDomain[] => [
  ...cluster.hosts.map(({ name }): FailureDomain => ({ kind: 'host', name })),
  ...cluster.network.segments.map(({ name }): FailureDomain => ({ kind: 'segment', name })),
  ...hypervisorsOf(cluster).map((name): FailureDomain => ({ kind: 'hypervisor', name })),
  ...unlisted(cluster).map(({ address }): FailureDomain => ({ kind: 'router', name: address })),
];

/** Everything that is down when these fail. A router survives the failure of a segment: it keeps its other interfaces. */
export const scenarioOf = (cluster: Cluster, failed: readonly FailureDomain[]): FailureScenario => {
  const named = (kind: FailureDomain['kind']): ReadonlySet<string> =>
    new Set(failed.filter((domain) => domain.kind === kind).map(({ name }) => name));
  const [hosts, segments, hypervisors, routers] = [
    named('host'),
    named('segment'),
    named('hypervisor'),
    named('router'),
  ];
  const isDown = (host: ClusterHost): boolean =>
    hosts.has(host.name) ||
    (host.hypervisor !== undefined && hypervisors.has(host.hypervisor)) ||
    (segments.has(host.segment) && !isRouter(host));
  const down = cluster.hosts.filter(isDown);
  return {
    hosts: new Set(down.map(({ name }) => name)),
    segments,
    routers: new Set([
      ...down.filter(isRouter).map(({ name }) => name),
      ...unlisted(cluster)
        .filter(({ address }) => routers.has(address))
        .map(({ name }) => name),
    ]),
  };
};

const hypervisorsOf = (cluster: Cluster): readonly string[] => [
  ...new Set(cluster.hosts.flatMap(({ hypervisor }) => (hypervisor === undefined ? [] : [hypervisor]))),
];

/** In a single segment the cluster's own traffic does not pass the gateway. */
const unlisted = (cluster: Cluster): readonly { readonly name: string; readonly address: string }[] =>
  routersOf(cluster).flatMap(({ name, managed, addresses }) => {
    const [address, second] = Object.values(addresses);
    return managed || address === undefined || second === undefined ? [] : [{ name, address }];
  });

const whatThereIs = (domains: readonly FailureDomain[], text: string): string => {
  const [kind = ''] = text.includes('=') ? text.split('=') : ['host'];
  const same = domains.filter((domain) => domain.kind === kind).map(failureDomainText);
  if (same.length > 0) return `there is ${shortList(same)}`;
  const kinds = [...new Set(domains.map((domain) => domain.kind))].map((one) => (one === 'host' ? 'HOST' : `${one}=…`));
  return `write one of ${kinds.join(', ')}; there is ${shortList(domains.map(failureDomainText))}`;
};
