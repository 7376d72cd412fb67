import type { Forecast } from '../foresight/foresee.js';
import { foresee, foreseeEach } from '../foresight/foresee.js';
import { parseTarget } from '../foresight/loss.js';
import { open } from './open.js';

/** What `kbs what-if` answers, from the inventory alone. */
export interface Foresight {
  readonly cluster: string;
  /** Whether the cluster outlives all that was asked. */
  readonly outlives: boolean;
  /** One forecast for what is lost together; or one for each sort of single loss, the worst first. */
  readonly forecasts: readonly (Forecast & { readonly alike: readonly string[] })[];
}

/** `lose`: targets that are lost together, as a user types them; none: every single one in turn. */
export const whatIf = async (file: string, lose: readonly string[]): Promise<Foresight> => {
  const { cluster } = await open(file);
  const targets = lose.map((text) => parseTarget(cluster, text));
  const forecasts = targets.length > 0 ? [{ ...foresee(cluster, targets), alike: [] }] : foreseeEach(cluster);
  return { cluster: cluster.name, outlives: forecasts.every(({ verdict }) => verdict !== 'fail'), forecasts };
};
