import type { Artifacts } from '../artifacts/artifacts.js';
import type { Facts } from '../hosts/facts/facts.js';
import type { Script } from '../hosts/shell.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import type { Credentials } from '../pki/credentials.js';
import type { Resource } from '../resources/resource.js';

/**
 * A named step in the setup of a host, described by the resources that must exist after it. All functions are pure: they
 * compute from the host and the context alone, and read no file, clock, network or random number.
 */
export interface Phase {
  readonly name: string;
  /** What is true of the host when the phase is done, as one line for the operator. */
  readonly ensures: string;
  appliesTo(host: ClusterHost, cluster: Cluster): boolean;
  resources(host: ClusterHost, context: PhaseContext): readonly Resource[];
  /** Conditions that are waited for before this phase changes anything. A phase without resources only waits for them. */
  gates?(host: ClusterHost, context: PhaseContext): readonly Gate[];
  /** The rolling update that the phase's changes are part of; absent or undefined where all hosts may change at once. */
  rolling?(host: ClusterHost, context: PhaseContext): RollingUpdate | undefined;
  /**
   * Phases of other hosts that must be done before this phase begins. A host that is not in the run or is skipped is not
   * waited for. If the other host fails before that phase is done, this host fails too, unless `mayFail` is set.
   */
  after?(host: ClusterHost, context: PhaseContext): readonly PhaseReference[];
  /** Which leftovers the phase removes: resources that kbs once applied and no phase of the host desires any more. */
  readonly prunes?: Prunes;
  /** How to remove what the phase's programs leave besides its resources; runs when the host leaves the cluster. */
  cleanup?(host: ClusterHost, context: PhaseContext): Cleanup;
}

/** A phase of one host. */
export interface PhaseReference {
  readonly host: string;
  readonly phase: string;
  /** Where the other host fails, this host continues: it waits only until the other one is done or has failed. */
  readonly mayFail?: true;
}

/**
 * Which leftovers a phase removes. `of`: those on its host whose records name these phases, or with `rest` those that no
 * other phase prunes. They are removed last applied first, after the phase's own changes, which may replace what uses them;
 * with `first` before them, for a former program that holds a port or an address which the new one needs.
 * `objectsThrough`: sets of objects in the cluster that no phase desires; the value is the path of a kubeconfig on the host.
 */
export type Prunes =
  | { readonly of: readonly string[] | 'rest'; readonly first?: true }
  | { readonly objectsThrough: string };

/** Scripts that remove what programs create by themselves: processes, mounts, network interfaces and firewall rules. */
export interface Cleanup {
  /** Shell that stops the programs; runs before any resource of any phase is removed. */
  readonly stop?: Script;
  /** Shell that removes what they created; runs after the phase's own resources are removed. */
  readonly remove?: Script;
}

/**
 * A rolling update of the hosts of one group, which change one at a time in the order of the inventory. A host that is
 * healthy when kbs observes it holds the group's one slot from its first such phase with changes to its last. If a host
 * fails while it holds the slot, the hosts of the group that have not begun are left untouched. A host that is not healthy
 * has nothing to disturb and needs no slot. A host that holds a slot waits for no other host to be done: its gates are
 * tested at once, also gates about other hosts.
 */
export interface RollingUpdate {
  readonly group: 'control-plane' | 'load-balancer' | 'dns' | 'removal';
  /** Whether the other hosts can serve without this one. Tested on this host, right before each of its rolling phases. */
  readonly preconditions: readonly Gate[];
  /**
   * The host is healthy if there is at least one gate and all are open. They are waited for after each rolling phase with
   * changes, and those of all its rolling phases again before the slot is released. So a gate must stay closed until the
   * changed program has restarted.
   */
  readonly healthy: readonly Gate[];
}

/** All inputs of a phase. */
export interface PhaseContext {
  readonly cluster: Cluster;
  readonly credentials: Credentials;
  /** Of every architecture; `artifactsOf` gives those of a host. */
  readonly artifacts: Artifacts;
  facts(host: string): Facts;
  /** When this run began, in whole seconds since the epoch. */
  readonly startedAt: number;
  /** The nodes that this run sets up; in a join, those that join. */
  readonly targetNodes: readonly ClusterHost[];
  /** Path on the first control plane of an etcd snapshot, from which a new etcd cluster starts; only in a restore. */
  readonly snapshot?: string;
}

/** A condition that is waited for on the phase's own host, with a time limit. */
export interface Gate {
  readonly name: string;
  /** A shell test that succeeds when the gate is open; while it fails, its output is the reason. */
  readonly test: Script;
  /** Seconds. */
  readonly timeoutSeconds: number;
  /** Shell that runs before each round of tests; gates with the same text share one run of it. */
  readonly prelude?: Script;
  /** The other host that the gate is about: the gate is tested once that host is done, and not at all if that host failed. */
  readonly afterHost?: string;
  /** What the program that the gate is about has logged: asked of the host that it is about, where it stays closed. */
  readonly log?: { readonly of: string; readonly script: Script };
}
