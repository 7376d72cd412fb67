import { factsScript } from '../hosts/facts/script.js';
import type { Phase, PhaseContext } from '../phases/phase.js';
import {
  type Kept,
  parseKept,
  parseObjectSets,
  parseReleases,
  printObjectSets,
  removable,
} from '../resources/object-sets.js';
import { ownedPath } from '../resources/original.js';
import { parseRecords, printRecords, type ResourceRecord } from '../resources/record.js';
import { kindOf, nameOf, ownedBy } from '../resources/registry.js';
import type { ObjectResource, Purge, ReleaseResource, Resource } from '../resources/resource.js';
import type { HostPhases, PurgedAddon } from './host-phases.js';
import type { BatchQuery, QueryResults } from './query-batch.js';

/** What kbs once applied on a host, or through it to the cluster, and no phase of the host desires any more. */
export interface Leftovers {
  /** In the order in which they were first applied. */
  readonly resources: readonly Leftover[];
  /** Releases, and sets of objects: removed in this order. */
  readonly objects: readonly (ObjectResource | ReleaseResource)[];
  /** What add-ons leave behind, of a cluster in which kbs has made releases. */
  readonly kept: Kept;
  /** Records that this version of kbs does not understand; they stay, and so do their resources. */
  readonly unknown: readonly ResourceRecord[];
  readonly damaged: readonly ResourceRecord[];
  /** Names of other clusters that have records there. */
  readonly foreign: readonly string[];
  /** Whether data of etcd lie on a host that is no control plane: its member may still vote, whatever is recorded. */
  readonly holdsMember: boolean;
}

export interface Leftover {
  readonly record: ResourceRecord;
  readonly resource: Resource;
  /** Whether it is a directory that holds a resource which a phase desires. */
  readonly inUse: boolean;
}

export const noLeftovers: Leftovers = {
  resources: [],
  objects: [],
  kept: { volumes: [], kinds: [], namespaces: [], isUnknown: false },
  unknown: [],
  damaged: [],
  foreign: [],
  holdsMember: false,
};

/** The queries, in addition to those of resources, from which `leftoversOf` finds a host's leftovers. */
export const leftoverQueries = ({ phases, all, purges }: HostPhases): readonly BatchQuery[] => [
  { name: 'records', script: printRecords },
  ...(all === undefined ? [] : kubeconfigsOf(phases)).map((kubeconfig) => ({
    name: 'object sets',
    script: printObjectSets(kubeconfig, purges !== undefined),
    callsApi: true as const,
  })),
];

const kubeconfigsOf = (phases: readonly Phase[]): readonly string[] =>
  phases.flatMap(({ prunes }) => (prunes && 'objectsThrough' in prunes ? [prunes.objectsThrough] : []));

/** A host's records, in the order in which the resources were first applied. */
export const recordsIn = (results: QueryResults): readonly ResourceRecord[] => {
  const result = results.get(printRecords);
  return result?.code === 0 ? parseRecords(result.output) : [];
};

/**
 * The recorded resources that no phase of the host desires. `desired`: the resources of `hostPhases.phases`. Resources are
 * compared by what they own, such as paths: one that has moved to another phase is no leftover, nor is a file that has
 * become a binary. There are no leftovers where `hostPhases.all` is absent, or where the host's facts, from which the
 * desired resources follow, could not be read.
 */
export const leftoversOf = (
  { host, phases, all, purges }: HostPhases,
  context: PhaseContext,
  results: QueryResults,
  desired: readonly Resource[],
): Leftovers => {
  const isOurs = ({ cluster = context.cluster.name }: ResourceRecord) => cluster === context.cluster.name;
  const recorded = recordsIn(results);
  const records = recorded.filter(isOurs);
  const foreign = [...new Set(recorded.flatMap((record) => (isOurs(record) ? [] : (record.cluster ?? []))))];
  const printed = kubeconfigsOf(phases).map(
    (kubeconfig) => [kubeconfig, results.get(printObjectSets(kubeconfig, purges !== undefined))?.output ?? ''] as const,
  );
  const kept = parseKept(printed.map(([, output]) => output).join('\n'));
  const sets = printed.flatMap(([kubeconfig, output]) => [
    ...purged(parseReleases(output, kubeconfig), kept, purges ?? [], kubeconfig),
    ...parseObjectSets(output, kubeconfig),
  ]);
  if (all === undefined || results.get(factsScript)?.code !== 0) return noLeftovers;
  if (records.length + sets.length === 0) return { ...noLeftovers, foreign };
  const others = all.filter((phase) => !phases.includes(phase)).flatMap((phase) => phase.resources(host, context));
  const owned = new Set([...desired, ...others].flatMap(ownedBy));
  return {
    resources: records.flatMap((record) => {
      const resource = record.resource && withoutOwned(record.resource, owned);
      return resource ? [{ record, resource, inUse: holdsOwned(resource, owned) }] : [];
    }),
    objects: sets.filter((set) => !owned.has(nameOf(set))),
    kept,
    unknown: records.filter(({ resource, damaged }) => resource === undefined && !damaged),
    damaged: records.filter(({ damaged }) => damaged),
    foreign,
    holdsMember: context.facts(host.name).etcdMember && !all.some(({ name }) => name === 'etcd'),
  };
};

/**
 * The releases; those of purged add-ons with the CRDs and PersistentVolumeClaims that are deleted with them. An add-on
 * whose release is gone is still listed as long as some of these are left. Only claims in a namespace that kbs made for
 * the add-on are deleted; nothing is where it cannot tell.
 */
const purged = (
  releases: readonly ReleaseResource[],
  { volumes, kinds, namespaces, isUnknown }: Kept,
  purges: readonly PurgedAddon[],
  kubeconfig: string,
): readonly ReleaseResource[] => {
  if (isUnknown) return releases;
  const leftOf = ({ addon, namespace }: PurgedAddon): Purge => ({
    kinds: kinds.filter((kind) => kind.addon === addon).map(({ name }) => name),
    claims: namespaces.some((each) => each.name === namespace && each.addon === addon)
      ? volumes.filter((volume) => volume.namespace === namespace).map(({ claim }) => claim)
      : [],
  });
  const isOf = (release: ReleaseResource, { name, namespace }: PurgedAddon) =>
    release.name === name && release.namespace === namespace;
  const gone = purges.filter((purge) => !releases.some((release) => isOf(release, purge)));
  return [
    ...releases.map((release) => {
      const purge = purges.find((each) => isOf(release, each));
      return purge === undefined ? release : { ...release, purge: leftOf(purge) };
    }),
    ...gone.flatMap((each) => {
      const purge = leftOf(each);
      return purge.kinds.length + purge.claims.length === 0
        ? []
        : [{ ...removable({ ...each, order: 0, kubeconfig }), purge }];
    }),
  ];
};

/** The resource without the parts that desired resources own; `undefined` where no part is left, or where it has none. */
const withoutOwned = (resource: Resource, owned: ReadonlySet<string>): Resource | undefined => {
  if (owned.has(nameOf(resource))) return undefined;
  const kind = kindOf(resource);
  if (kind.without) return kind.without(resource, (name) => owned.has(name));
  return ownedBy(resource).some((name) => owned.has(name)) ? undefined : resource;
};

const holdsOwned = (resource: Resource, owned: ReadonlySet<string>): boolean =>
  resource.kind === 'directory' && [...owned].some((name) => name.startsWith(`${ownedPath(resource.path)}/`));
