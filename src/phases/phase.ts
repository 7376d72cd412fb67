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
  /** Where hosts must not all be disturbed at once: the rolling update that the phase's changes are part of. */
  rolling?(host: ClusterHost, context: PhaseContext): RollingUpdate | undefined;
  /**
   * Phases of other hosts that must be done before this one begins. A host that is not in the run, or that the run goes
   * on without, is not waited for; one that fails before it is done with that phase ends this host's phases too.
   */
  after?(host: ClusterHost, context: PhaseContext): readonly PhaseReference[];
  /** What the phase removes of what kbs once made and no phase of the host wants any more. */
  readonly prunes?: Prunes;
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

/**
 * What a phase prunes: on its host, what these phases once wanted; `rest` is all that no other phase of the host prunes.
 * Last made first, after the phase's own changes, as what is left over may still be in use until then; or `first`, where a
 * former program holds a port or an address that a new one needs. Or, in the cluster, the sets of objects that no phase
 * wants, as found and deleted through a kubeconfig of the host.
 */
export type Prunes =
  | { readonly of: readonly string[] | 'rest'; readonly first?: true }
  | { readonly objectsThrough: string };

/** What no resource stands for: processes, mounts, interfaces and rules that programs make for themselves. */
export interface Cleanup {
  /** Shell that makes them stand still, before anything of any phase is taken away. */
  readonly stop?: Script;
  /** Shell that takes away what they made, once the phase's own resources are gone. */
  readonly remove?: Script;
}

/**
 * A rolling update of the hosts of one group. A host that is healthy when it is observed changes such phases only while it
 * holds the group's slot: from the first of them that has changes to the last, one host at a time, in the order of the
 * inventory. Where one fails while it holds the slot, hosts of the group that have not begun are left untouched. A host that
 * is not healthy has nothing to disturb and takes no slot. A host that holds a slot waits for no other host: its gates are
 * asked as things are, whichever host they are about.
 */
export interface RollingUpdate {
  readonly group: 'control-plane' | 'load-balancer' | 'dns' | 'removal';
  /** Whether the others can do without this host: asked on it, right before each of its phases changes it. */
  readonly preconditions: readonly Gate[];
  /**
   * What is open while this host serves; it is healthy if all are open, and never where none is named. Waited for after
   * each phase's changes, and all of the span's again before the slot is released: so they must not be open while what was
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
  /** The other host that this is about: waited for only once that host is done, and not at all if it failed. */
  readonly afterHost?: string;
}
