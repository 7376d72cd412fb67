import type { Cluster } from '../inventory/cluster.js';
import { isControlPlane } from '../inventory/cluster.js';
import { type Aspect, aspects, judge } from './aspects.js';
import { changesFor } from './candidates.js';
import { type Change, changed, costOf, merged } from './change.js';
import { everyTarget, scenarioOf, type Target, targetText } from './failure-scenario.js';

/** What a search for changes starts from. */
export interface Search {
  readonly cluster: Cluster;
  readonly targets: readonly Target[];
  /** Single losses, one of each sort, and what each of them ends: a change must not make them end more. */
  readonly singles: readonly { readonly target: Target; readonly ends: ReadonlySet<Aspect> }[];
}

/**
 * For each aspect that does not outlive the loss, the cheapest change that mends it and makes nothing worse: no single
 * loss ends what it did not end before, nor does that of anything new. Found by trying single changes and pairs of
 * them; what mends one aspect is tried on the next, alone and with more. Aspects that nothing tried mends are left out.
 */
export const remediesFor = (failed: readonly Aspect[], search: Search): ReadonlyMap<Aspect, Change> => {
  const mends = new Map<Aspect, Change>();
  let earlier: Change = [];
  for (const aspect of failed.toSorted(byCause)) {
    const mend = mendOf(aspect, search, earlier);
    if (mend !== undefined) mends.set(aspect, mend);
    earlier = mend ?? earlier;
  }
  // Where a later change took another way and mends the earlier aspect too, two pieces of advice would contradict.
  for (const [aspect, mend] of mends) {
    const other = !includes(earlier, mend) && isMend(aspect, search, earlier) ? earlier : mend;
    mends.set(aspect, other);
  }
  return mends;
};

/** Where the network is torn, its mend is that of much else. */
const byCause = (a: Aspect, b: Aspect): number => Number(b === 'routes') - Number(a === 'routes');

const includes = (change: Change, part: Change): boolean => {
  const steps = new Set(change.map((step) => JSON.stringify(step)));
  return part.every((step) => steps.has(JSON.stringify(step)));
};

const mendOf = (aspect: Aspect, search: Search, earlier: Change): Change | undefined => {
  if (earlier.length > 0 && isMend(aspect, search, earlier)) return earlier;
  const changes = changesFor(aspect, search.cluster, scenarioOf(search.cluster, search.targets));
  const ordered = inOrder(earlier.length > 0 ? [earlier, ...changes] : changes);
  return ordered.slice(0, tries).find((change) => isMend(aspect, search, change) && isHarmless(change, search));
};

/** Changes are tried from the cheapest on; what comes after so many is no small change. */
const tries = 500;

const isMend = (aspect: Aspect, { cluster, targets }: Search, change: Change): boolean => {
  const after = changed(cluster, change);
  return isSound(after) && !fails(aspect, after, targets);
};

/** The aspects that this loss ends. */
export const brokenBy = (cluster: Cluster, targets: readonly Target[]): ReadonlySet<Aspect> =>
  new Set(aspects.filter((aspect) => fails(aspect, cluster, targets)));

const fails = (aspect: Aspect, cluster: Cluster, targets: readonly Target[]): boolean =>
  judge(aspect, cluster, scenarioOf(cluster, targets))?.verdict === 'fail';

/** Several control planes need one endpoint, or no inventory would pass. */
const isSound = ({ hosts, endpoint }: Cluster): boolean =>
  hosts.filter(isControlPlane).length < 2 ||
  endpoint.vip !== undefined ||
  endpoint.name !== undefined ||
  endpoint.external === true;

const isHarmless = (change: Change, { cluster, singles }: Search): boolean => {
  const after = changed(cluster, change);
  const known = new Set(everyTarget(cluster).map(targetText));
  const made = everyTarget(after).filter((target) => !known.has(targetText(target)));
  return (
    made.every((single) => aspects.every((aspect) => !fails(aspect, after, [single]))) &&
    singles.every(({ target, ends }) => aspects.every((aspect) => ends.has(aspect) || !fails(aspect, after, [target])))
  );
};

/** Every change by itself and every two together, by cost; of equal ones the earlier named. */
const inOrder = (changes: readonly Change[]): readonly Change[] => {
  const pairs = changes.flatMap((one, index) => changes.slice(index).map((other) => merged(one, other)));
  return [...changes, ...pairs]
    .map((change) => ({ change, cost: costOf(change) }))
    .toSorted((a, b) => a.cost - b.cost)
    .map(({ change }) => change);
};
