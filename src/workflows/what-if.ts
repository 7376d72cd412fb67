import type { Forecast } from '../impact/assess.js';
import { assess, assessEach } from '../impact/assess.js';
import { parseTarget } from '../impact/failure-scenario.js';
import { loadCluster } from './load-cluster.js';

/** What `kbs what-if` answers, from the inventory alone. */
export interface WhatIfReport {
  readonly cluster: string;
  /** Whether the cluster outlives all that was asked. */
  readonly outlives: boolean;
  /** One forecast for what is lost together; or one for each sort of single loss, the worst first. */
  readonly forecasts: readonly (Forecast & { readonly alike: readonly string[] })[];
}

/** `lose`: targets that are lost together, as a user types them; none: every single one in turn. */
export const whatIf = async (file: string, lose: readonly string[]): Promise<WhatIfReport> => {
  const { cluster } = await loadCluster(file);
  const targets = lose.map((text) => parseTarget(cluster, text));
  const forecasts = targets.length > 0 ? [{ ...assess(cluster, targets), alike: [] }] : assessEach(cluster);
  return { cluster: cluster.name, outlives: forecasts.every(({ verdict }) => verdict !== 'fail'), forecasts };
};
