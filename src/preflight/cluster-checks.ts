import { Failure } from '../failure.js';
import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, controlPlanes } from '../inventory/cluster.js';
import type { FailedCheck } from './failed-check.js';

/** All hosts that were looked at, and when that was: whole seconds of this machine's clock. */
export interface ClusterFacts {
  readonly cluster: Cluster;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly from: number;
  readonly to: number;
  /** Whether etcd is to begin with a snapshot, where it has no data. */
  readonly restores: boolean;
}

/** What shows only in several hosts together. Pure, and by names, as the checks of each host. */
export const checkCluster = (fleet: ClusterFacts, skipped: ReadonlySet<string> = new Set()): readonly Failure[] =>
  Object.entries(checks)
    .filter(([name]) => !skipped.has(name))
    .flatMap(([name, check]) =>
      check(fleet).map(
        ({ host, what, next }) => new Failure('preflight', `${name}: ${what}`, { where: { host }, next }),
      ),
    );

interface FleetRefusal extends FailedCheck {
  /** The host that it is about, or several. */
  readonly host: string;
}

const checks: Readonly<Record<string, (fleet: ClusterFacts) => readonly FleetRefusal[]>> = {
  /** Machines that were cloned and still believe that they are the same one. */
  'machine-id': ({ facts }) => {
    const byId = group([...facts], ([, { machineId }]) => machineId);
    return [...byId].flatMap(([id, hosts]) => {
      const names = hosts.map(([name]) => name);
      if (id === '' || names.length < 2) return [];
      return [
        {
          host: names.join(', '),
          what: `${names.join(' and ')} have the same machine-id ${id}`,
          next: 'on all but one: rm /etc/machine-id && systemd-machine-id-setup, then reboot',
        },
      ];
    });
  },

  /**
   * Machines whose clock is off by more than a minute. They were asked at some moment between the two; an answer that
   * took long is no clock that is slow.
   */
  clock: ({ facts, from, to }) =>
    [...facts].flatMap(([host, { clock }]) => {
      const off = clock < from ? from - clock : clock - to;
      if (off <= clockToleranceSeconds) return [];
      return [
        {
          host,
          what: `the clock is ${off} s ${clock < from ? 'behind' : 'ahead of'} that of this machine, and certificates go by it`,
          next: 'have it set over the network: timedatectl set-ntp true; where every host is off by as much, it is this machine',
        },
      ];
    }),

  /**
   * kbs gives a member its data before it installs what starts it: etcd without data anywhere has lost them, and would
   * be founded anew, with nothing in it.
   */
  'etcd-data': ({ cluster, facts, restores }) => {
    const all = controlPlanes(cluster).map(({ name }) => ({ name, seen: facts.get(name) }));
    const host = all.find(({ seen }) => seen?.etcdInstalled)?.name;
    if (restores || host === undefined || all.some(({ seen }) => seen === undefined || seen.etcdMember)) return [];
    return [
      {
        host,
        what: 'etcd is installed, and its data are gone from every control plane: it would begin with nothing',
        next: 'begin with a snapshot: kbs etcd restore FILE; with nothing, for good: --skip-check etcd-data',
      },
    ];
  },
};

export const clusterCheckNames: readonly string[] = Object.keys(checks);

/** Far less than the five minutes by which certificates are dated back. */
const clockToleranceSeconds = 60;

const group = <T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
};
