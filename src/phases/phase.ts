import type { Artifacts } from '../artifacts/artifacts.js';
import type { Facts } from '../hosts/facts/facts.js';
import type { Script } from '../hosts/shell.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import type { Credentials } from '../pki/credentials.js';
import type { Resource } from '../resources/resource.js';

/**
 * What must be true of one host at one step. Pure: the same site gives the same resources, and nothing is read,
 * asked or drawn by lot while they are computed.
 */
export interface Phase {
  readonly name: string;
  /** One line for people: what is true when the phase is done. */
  readonly ensures: string;
  appliesTo(host: ClusterHost, cluster: Cluster): boolean;
  resources(host: ClusterHost, context: PhaseContext): readonly Resource[];
  /** What must be open before this phase changes anything; a phase without resources is only a wait. */
  gates?(host: ClusterHost, context: PhaseContext): readonly Gate[];
  /** Where hosts must not all be disturbed at once: who takes turns with whom. */
  rolling?(host: ClusterHost, context: PhaseContext): RollingUpdate | undefined;
  /**
   * Phases of other hosts that must be done before this one begins. A host that is not in the run, or that the run goes
   * on without, is not waited for; one that fails before it is done with that phase ends this host's phases too.
   */
  after?(host: ClusterHost, context: PhaseContext): readonly PhaseReference[];
  /** What the phase's programs leave on a host besides its resources; for a host that leaves the cluster. */
  cleanup?(host: ClusterHost, context: PhaseContext): Cleanup;
}

/** A phase of one host. */
export interface PhaseReference {
  readonly host: string;
  readonly phase: string;
  /** The failure of that host does not matter: only its end is waited for. */
  readonly mayFail?: true;
}

/** What no resource stands for: processes, mounts, interfaces and rules that programs make for themselves. */
export interface Cleanup {
  /** Shell that makes them stand still, before anything of any phase is taken away. */
  readonly stop?: Script;
  /** Shell that takes away what they made, once the phase's own resources are gone. */
  readonly remove?: Script;
}

/**
 * A turn. A host that serves when kbs looks changes such phases only while it holds its group's turn: from the first of
 * them that has changes to the last, one host at a time, in the order of the inventory. Where one fails in its turn, those
 * of the group that have not begun are left untouched. A host that does not serve has nothing to disturb and takes no
 * turn. Who holds one waits for no other host: the gates here are asked as things are, whomever they are about.
 */
export interface RollingUpdate {
  readonly group: 'control-plane' | 'load-balancer' | 'dns' | 'removal';
  /** That the others can do without this host: asked on it, in its turn, right before each of its phases changes it. */
  readonly preconditions: readonly Gate[];
  /**
   * What is open while this host serves; a host serves if all are open, and never where none is named. Waited for after
   * each phase's changes, and all of the turn's again before it is passed on: so they must not be open while what was
   * changed has yet to be restarted.
   */
  readonly healthy: readonly Gate[];
}

/** Everything that a phase may read. */
export interface PhaseContext {
  readonly cluster: Cluster;
  readonly credentials: Credentials;
  readonly artifacts: Artifacts;
  facts(host: string): Facts;
  /** When this run began, in whole seconds since the epoch: no phase reads a clock. */
  readonly startedAt: number;
  /** The nodes that this run is about; a join is about those that join. */
  readonly targetNodes: readonly ClusterHost[];
  /** Path on the first control plane: what etcd is to begin with, where it is founded anew. */
  readonly snapshot?: string;
}

/** A bounded wait, on the phase's own host. */
export interface Gate {
  readonly name: string;
  /** A shell test: succeeds when open; what it prints last is the reason while it is closed. */
  readonly test: Script;
  /** Seconds. */
  readonly timeoutSeconds: number;
  /** Shell that runs once before each round of tests, and is shared by all gates that name the same text. */
  readonly prelude?: Script;
  /** The other host that this is about: waited for only once that host is done, and not at all if it was set aside. */
  readonly afterHost?: string;
}
