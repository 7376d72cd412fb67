import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import { requireStanding } from './find.js';
import { type Partition, type PodCidrs, partitionRules, readPartitions, unique } from './partitions.js';
import { type Places, placesOf, switchNamespace } from './paths.js';
import { selectHosts } from './select-hosts.js';
import { shell } from './shell.js';
import type { LabSpec } from './spec.js';

/** Hosts by name, or `segment=NAME`. */
export type Side = readonly string[];

export interface PartitionOptions {
  /** The pods' CIDRs of all hosts: what pods say to each other is cut with their hosts. */
  readonly pods?: PodCidrs;
  readonly places?: Places;
}

/**
 * Cuts two sides of a lab off from each other, both ways, besides what is cut already. Each still reaches all other
 * hosts, and the operator reaches all. It lasts over reboots of hosts, until `labHeal`. Gives all that is cut now.
 */
export const labPartition = (
  lab: string,
  one: Side,
  other: Side,
  options: PartitionOptions = {},
): Promise<readonly Partition[]> =>
  change(lab, options, (spec, before) => {
    const [ones, others] = [selectHosts(spec, one), selectHosts(spec, other)];
    const twice = ones.filter((name) => others.includes(name));
    if (twice.length > 0) throw new Failure('usage', `${twice.join(', ')} cannot be on both sides`);
    return [...before, ...ones.flatMap((a) => others.map((b): Partition => [a, b]))];
  });

/** Heals partitions between two sides; between one side and all others; or, without sides, all. Gives what is left. */
export const labHeal = (
  lab: string,
  one?: Side,
  other?: Side,
  options: PartitionOptions = {},
): Promise<readonly Partition[]> =>
  change(lab, options, (spec, before) => {
    const all = spec.hosts.map(({ name }) => name);
    const [ones, others] = [one, other].map((side) => new Set(side === undefined ? all : selectHosts(spec, side)));
    return before.filter(([a, b]) => !((ones?.has(a) && others?.has(b)) || (ones?.has(b) && others?.has(a))));
  });

const change = async (
  lab: string,
  { pods = {}, places = placesOf() }: PartitionOptions,
  next: (spec: LabSpec, before: readonly Partition[]) => readonly Partition[],
): Promise<readonly Partition[]> => {
  const { spec } = await requireStanding(places, lab);
  const partitions = unique(spec, next(spec, await readPartitions(lab, spec)));
  const rules = partitionRules(spec, partitions, pods);
  await shell(
    'partitioning',
    sh`ip netns exec ${switchNamespace(lab)} nft -f - <<'RULES'\n`.concat(rules, '\nRULES\n'),
  );
  return partitions;
};
