import type { Artifacts } from '../../artifacts/artifacts.js';
import type { Emit } from '../../engine/event.js';
import type { ExecutablePlan } from '../../engine/executable-plan.js';
import type { Plan } from '../../engine/plan.js';
import type { Selection } from '../../engine/select.js';
import type { Pool } from '../../hosts/pool.js';
import type { Cluster } from '../../inventory/cluster.js';
import type { PhaseContext } from '../../phases/phase.js';
import type { Credentials } from '../../pki/credentials.js';
import type { KeyringIdentity } from '../../pki/keyring.js';
import type { LoadedCluster } from '../load-cluster.js';

/** What a workflow plans with. */
export interface RunContext {
  readonly loaded: LoadedCluster;
  readonly cluster: Cluster;
  /** May still be in the making: what hosts are asked does not depend on it. */
  readonly credentials: Credentials | Promise<Credentials>;
  /** Which cluster the keyring belongs to, before anything is issued. */
  readonly keyring: KeyringIdentity;
  readonly artifacts: Artifacts;
  readonly pool: Pool;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly selection?: Selection;
  readonly skippedChecks?: ReadonlySet<string>;
  /** Milliseconds: the longest wait for one step. */
  readonly timeout?: number;
}

/** A way to change a cluster: how it is planned. All workflows are shown, confirmed and applied by `execute`. */
export interface Workflow {
  readonly name: string;
  /**
   * Observes, checks and compares; changes nothing, on no machine. Each stage throws all its failures together. The first event
   * that it emits is the run's `started`.
   */
  plan(run: RunContext): Promise<PlannedRun>;
  /** Needs no credentials of the cluster: the keyring is neither completed nor saved. */
  readonly issuesNothing?: true;
  /** Brings no artifacts to hosts: it runs where there is no bundle. */
  readonly installsNothing?: true;
  /** Gives no node a network: the pod CIDRs that nodes have need not be known. */
  readonly plansNoNetwork?: true;
}

/** What a run would do. */
export interface PlannedRun {
  readonly plan: Plan;
  readonly work: ExecutablePlan;
  readonly context: PhaseContext;
  /** Whether the run has failed where this host fails. */
  isNeeded(host: string): boolean;
  /** What changes on the operator's machine besides, in sentences for the question and the dry run. */
  readonly local?: readonly string[];
  /** Whether the inventory is edited, so that the operator is asked although no host changes. */
  readonly editsInventory?: boolean;
  /** Changes on the operator's machine, once the hosts are done. */
  finish?(): Promise<void>;
}
