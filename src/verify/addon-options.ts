import type { Host, RunOptions } from '../hosts/host.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { Probe } from './probes.js';

export interface AddonOptions {
  /** Where pods may be made. */
  readonly namespace: string;
  /** PEM of the ingress controller's authority; absent where there is none. */
  readonly ingressCa?: string;
  /** Those that run. */
  readonly probes: readonly Probe[];
  /** An image with a shell; absent where no add-on of the cluster needs one. */
  readonly shellImage?: string;
  /** How long metrics of a node may take to come, in milliseconds. */
  readonly patience: number;
  /** A host of the inventory. */
  readonly hostOf: (host: ClusterHost) => Host;
  readonly limits: RunOptions;
}
