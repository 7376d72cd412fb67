import type { Arch } from '../artifacts/arch.js';
import type { Facts } from '../hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import type { CheckName } from './check-names.js';
import type { VipProbe } from './vip-probe.js';

/** A check with its texts. All checks are pure: facts in, what is wrong out, nothing where all is in order. */
export type Check = HostCheck | ClusterCheck | ProbeCheck;

/** Asks of one host by itself. */
export interface HostCheck extends CheckTexts {
  readonly scope: 'host';
  readonly check: (host: ClusterHost, facts: Facts, cluster: Cluster) => readonly FailedCheck[];
}

/** Asks what shows only in several hosts together, or in hosts and what this machine has for them. */
export interface ClusterCheck extends CheckTexts {
  readonly scope: 'cluster';
  readonly check: (facts: ClusterFacts) => FailedHosts;
}

/** Asks what a load balancer receives in the network of the virtual address. */
export interface ProbeCheck extends CheckTexts {
  readonly scope: 'probe';
  readonly check: (probe: VipProbe, cluster: Cluster) => readonly FailedCheck[];
}

interface CheckTexts {
  readonly name: CheckName;
  /** What it finds is shown, and refuses nothing. */
  readonly warns?: true;
  /** What must be so: a clause without a final full stop. */
  readonly summary: string;
  /** What to do where it is not so, for every host alike; a failed check says more. */
  readonly fix: string;
}

/** What a check found of one host, or of several hosts together. */
export interface CheckResult {
  readonly name: CheckName;
  readonly scope: Check['scope'];
  /** The hosts that it is about; none where only the keyring is concerned. */
  readonly hosts: readonly string[];
  /** Whether nothing keeps kbs from changing the hosts. */
  readonly ok: boolean;
  /** The check found something that is no reason to refuse; `ok` is then true. */
  readonly warning?: true;
  /** What must be so and is; for a failed check and a warning, what is wrong. */
  readonly detail: string;
  /** The evidence of a failed check, line by line. */
  readonly why?: readonly string[];
  /** What to do about a failed check or a warning. */
  readonly next?: string;
}

/** What is wrong, and what to do about it. */
export interface FailedCheck extends Pick<CheckResult, 'detail' | 'why'> {
  readonly next: string;
}

/** The same of the hosts that it names. */
export type FailedHosts = readonly (FailedCheck & Pick<CheckResult, 'hosts'>)[];

/** All hosts that were observed, and what else decides whether they may be changed. */
export interface ClusterFacts extends IdentityFacts {
  /** The architectures that the bundle has artifacts for; all where there is no bundle yet. */
  readonly bundle: readonly Arch[];
  /** When the hosts were observed: whole seconds of this machine's clock. */
  readonly from: number;
  readonly to: number;
  /** Whether etcd is to begin with a snapshot, where it has no data. */
  readonly restores: boolean;
}

/** What tells whether the hosts and the keyring belong to the same cluster. */
export interface IdentityFacts {
  /**
   * The name of the command. Only `init` and `apply` may create the CA of a new cluster; `preflight` changes nothing, and
   * may ask before there is one.
   */
  readonly workflow: string;
  readonly cluster: Cluster;
  /** By name; a host that is not in here was not observed. */
  readonly facts: ReadonlyMap<string, Facts>;
  /** As `readKeyring` gives it before anything is issued. */
  readonly keyring: {
    readonly ca?: string;
    readonly missing: readonly string[];
  };
}

/** One failed check where a condition holds. */
export const failIf = (condition: boolean, detail: string, next: string): readonly FailedCheck[] =>
  condition ? [{ detail, next }] : [];
