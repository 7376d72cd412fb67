import { leftoversOf } from '../../src/engine/leftovers.js';
import { type HostPhases, resourcesOf } from '../../src/engine/observe.js';
import { pruningOf } from '../../src/engine/prune.js';
import type { Facts } from '../../src/hosts/facts/facts.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { phases } from '../../src/phases/index.js';
import { printRecords, recordOf } from '../../src/resources/record.js';
import { nameOf } from '../../src/resources/registry.js';
import type { Resource, State } from '../../src/resources/resource.js';
import { contextOf } from './site.js';

/** All phases of a host, as a run of the whole inventory has them. */
export const phasesOf = (host: ClusterHost, cluster: Cluster): HostPhases => {
  const all = phases.filter((phase) => phase.appliesTo(host, cluster));
  return { host, phases: all, all };
};

/** The records of a host on which a run of the whole inventory made everything. */
export const recordsOf = (host: ClusterHost, cluster: Cluster, facts: Partial<Facts> = {}): readonly string[] =>
  [...resourcesOf(phasesOf(host, cluster), contextOf(cluster, facts))].flatMap(([phase, resources]) =>
    resources.flatMap((resource) => recordOf({ cluster: cluster.name, phase: phase.name }, resource) ?? []),
  );

/**
 * The resources that a run applies and removes on a host, in order, where records of an earlier inventory exist:
 * `PHASE: KIND ID` for what is desired, and `PHASE: remove KIND ID`. Pure.
 */
export const plannedLines = (
  host: ClusterHost,
  cluster: Cluster,
  records: readonly string[],
  facts: Partial<Facts> = {},
  hostPhases: HostPhases = phasesOf(host, cluster),
): { readonly lines: readonly string[]; readonly notes: readonly string[] } => {
  const context = contextOf(cluster, facts);
  const answers = new Map([
    [printRecords, { code: 0, output: records.join('\n') }],
    [factsScript, { code: 0, output: '' }],
  ]);
  const desired = resourcesOf(hostPhases, context);
  const left = leftoversOf(hostPhases, context, answers, [...desired.values()].flat());
  const { removals, notes } = pruningOf(hostPhases, left, seen, {
    after: () => [],
    isPresent: () => true,
  });
  const lines = [...desired].flatMap(([phase, resources]) => {
    const wanted = resources.map((resource) => `${phase.name}: ${nameOf(resource)}`);
    const removed = (removals.get(phase) ?? []).map(
      ({ change: { kind, id } }) => `${phase.name}: remove ${kind} ${id}`,
    );
    return phase.prunes && 'of' in phase.prunes && phase.prunes.first
      ? [...removed, ...wanted]
      : [...wanted, ...removed];
  });
  return { lines, notes };
};

/** The state of a resource that kbs applied. */
const seen = (resource: Resource): State =>
  resource.kind === 'image'
    ? { 'a reference': 'sha256:0' }
    : {
        ...{ type: 'there', touched: 'yes', disabled: '1', listed: 'yes', line: 'there', files: '/etc/hosts' },
        ...(resource.kind === 'route' ? { via: resource.via } : {}),
      };
