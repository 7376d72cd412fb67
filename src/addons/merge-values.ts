import type { Values } from '../inventory/cluster.js';
import { isRecord } from '../secret.js';

/**
 * Values of a chart with others over them, as `helm -f one -f other` merges them: maps key by key, all else in place of
 * what was there. `null` stays: to helm it takes a default of the chart away.
 */
export const mergeValues = (values: Values, over: Values): Values => ({
  ...values,
  ...Object.fromEntries(
    Object.entries(over).map(([key, value]) => {
      const below = values[key];
      return [key, isRecord(value) && isRecord(below) ? mergeValues(below, value) : value];
    }),
  ),
});
