import type { Values } from '../inventory/cluster.js';

/**
 * Values of a chart with others over them, as `helm -f one -f other` merges them: maps key by key, all else in place of
 * what was there. `null` stays: to helm it takes a default of the chart away.
 */
export const mergeValues = (values: Values, over: Values): Values => ({
  ...values,
  ...Object.fromEntries(
    Object.entries(over).map(([key, value]) => {
      const below = values[key];
      return [key, isMap(value) && isMap(below) ? mergeValues(below, value) : value];
    }),
  ),
});

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);
