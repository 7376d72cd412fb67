import type { Cluster } from '../inventory/cluster.js';
import { isControlPlane } from '../inventory/cluster.js';
import { type Aspect, aspects, assessAspect } from './aspects.js';
import { changesFor } from './candidates.js';
import { costOf, type InventoryChange, merged, withChange } from './change.js';
import { allFailureDomains, type FailureDomain, failureDomainText, scenarioOf } from './failure-scenario.js';

/** What a search for fixes starts from. */
export interface FixSearch {
  readonly cluster: Cluster;
  /** What has failed together. */
  readonly failed: readonly FailureDomain[];
  /** Single failures, one of each class, and the aspects that each breaks: a fix must not make it break more. */
  readonly singles: readonly { readonly domain: FailureDomain; readonly breaks: ReadonlySet<Aspect> }[];
}

/**
 * For each broken aspect the cheapest change that fixes it and makes nothing worse: no single failure breaks more than
 * before, and no single failure of anything new breaks any aspect. Found by trying single changes and pairs of them;
 * the fix of one aspect is tried on the next, alone and with more. An aspect without a fix is left out.
 */
export const fixesFor = (broken: readonly Aspect[], search: FixSearch): ReadonlyMap<Aspect, InventoryChange> => {
  const fixes = new Map<Aspect, InventoryChange>();
  let earlier: InventoryChange = [];
  for (const aspect of broken.toSorted(routesFirst)) {
    const fix = fixFor(aspect, search, earlier);
    if (fix !== undefined) fixes.set(aspect, fix);
    earlier = fix ?? earlier;
  }
  // Where a later fix goes another way and fixes the earlier aspect too, two different fixes would contradict.
  for (const [aspect, fix] of fixes) {
    const other = !includes(earlier, fix) && isFix(aspect, search, earlier) ? earlier : fix;
    fixes.set(aspect, other);
  }
  return fixes;
};

/** Where segments are separated, the fix of that often fixes the other aspects. */
const routesFirst = (a: Aspect, b: Aspect): number => Number(b === 'routes') - Number(a === 'routes');

const includes = (change: InventoryChange, part: InventoryChange): boolean => {
  const steps = new Set(change.map((step) => JSON.stringify(step)));
  return part.every((step) => steps.has(JSON.stringify(step)));
};

const fixFor = (aspect: Aspect, search: FixSearch, earlier: InventoryChange): InventoryChange | undefined => {
  if (earlier.length > 0 && isFix(aspect, search, earlier)) return earlier;
  const changes = changesFor(aspect, search.cluster, scenarioOf(search.cluster, search.failed));
  const ordered = byCost(earlier.length > 0 ? [earlier, ...changes] : changes);
  return ordered.slice(0, maxTries).find((change) => isFix(aspect, search, change) && isHarmless(change, search));
};

/** Changes are tried from the cheapest on; what comes after so many is no small change. */
const maxTries = 500;

const isFix = (aspect: Aspect, { cluster, failed }: FixSearch, change: InventoryChange): boolean => {
  const after = withChange(cluster, change);
  return hasEndpoint(after) && !breaks(aspect, after, failed);
};

/** The aspects that a failure breaks. */
export const brokenBy = (cluster: Cluster, failed: readonly FailureDomain[]): ReadonlySet<Aspect> =>
  new Set(aspects.filter((aspect) => breaks(aspect, cluster, failed)));

const breaks = (aspect: Aspect, cluster: Cluster, failed: readonly FailureDomain[]): boolean =>
  assessAspect(aspect, cluster, scenarioOf(cluster, failed))?.status === 'fail';

/** An inventory with several control planes needs one endpoint. */
const hasEndpoint = ({ hosts, endpoint }: Cluster): boolean =>
  hosts.filter(isControlPlane).length < 2 ||
  endpoint.vip !== undefined ||
  endpoint.name !== undefined ||
  endpoint.external === true;

const isHarmless = (change: InventoryChange, { cluster, singles }: FixSearch): boolean => {
  const after = withChange(cluster, change);
  const known = new Set(allFailureDomains(cluster).map(failureDomainText));
  const added = allFailureDomains(after).filter((domain) => !known.has(failureDomainText(domain)));
  return (
    added.every((domain) => aspects.every((aspect) => !breaks(aspect, after, [domain]))) &&
    singles.every((single) =>
      aspects.every((aspect) => single.breaks.has(aspect) || !breaks(aspect, after, [single.domain])),
    )
  );
};

/** Every change by itself and every two together, by cost; of equal ones the earlier listed first. */
const byCost = (changes: readonly InventoryChange[]): readonly InventoryChange[] => {
  const pairs = changes.flatMap((one, index) => changes.slice(index).map((other) => merged(one, other)));
  return [...changes, ...pairs]
    .map((change) => ({ change, cost: costOf(change) }))
    .toSorted((a, b) => a.cost - b.cost)
    .map(({ change }) => change);
};
