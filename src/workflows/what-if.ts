import { assess, assessEach, type ScenarioReport } from '../impact/assess.js';
import { parseFailureDomain } from '../impact/failure-scenario.js';
import { loadCluster } from './load-cluster.js';

/** The answer of `kbs what-if`, computed from the inventory alone. */
export interface WhatIfReport {
  readonly cluster: string;
  /** Whether the cluster survives every scenario. */
  readonly survives: boolean;
  /** One scenario for what fails together; or one for each class of single failures, the worst first. */
  readonly scenarios: readonly (ScenarioReport & { readonly alike: readonly string[] })[];
}

/** `without`: what fails together, as a user types it; none: everything that can fail alone, one at a time. */
export const whatIf = async (file: string, without: readonly string[]): Promise<WhatIfReport> => {
  const { cluster } = await loadCluster(file);
  const failed = without.map((text) => parseFailureDomain(cluster, text));
  const scenarios = failed.length > 0 ? [{ ...assess(cluster, failed), alike: [] }] : assessEach(cluster);
  return { cluster: cluster.name, survives: scenarios.every(({ status }) => status !== 'fail'), scenarios };
};
