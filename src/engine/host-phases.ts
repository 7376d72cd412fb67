import type { ClusterHost } from '../inventory/cluster.js';
import type { Phase } from '../phases/phase.js';

/** The hosts of a run, each with the phases that it runs. */
export type RunHosts = readonly HostPhases[];

export interface HostPhases {
  readonly host: ClusterHost;
  readonly phases: readonly Phase[];
  /**
   * All phases of the host, also those that this run leaves out. Recorded resources that none of them desires are pruned;
   * where `all` is absent, nothing is pruned.
   */
  readonly all?: readonly Phase[];
  /** Add-ons that are uninstalled with `--purge`: their CRDs and PersistentVolumeClaims are deleted too. */
  readonly purges?: readonly PurgedAddon[];
}

/** An add-on, and its release. */
export interface PurgedAddon {
  readonly addon: string;
  readonly name: string;
  readonly namespace: string;
}
