import type { Values } from '../inventory/cluster.js';
import { isRecord } from '../secret.js';

/** The field `featureGates` of a component's configuration: what the owner wrote there goes over the gates of all. */
export const withGates = (
  gates: Readonly<Record<string, boolean>> | undefined,
  { featureGates }: Values,
): { readonly featureGates?: unknown } =>
  gates === undefined ? {} : { featureGates: { ...gates, ...(isRecord(featureGates) ? featureGates : {}) } };
