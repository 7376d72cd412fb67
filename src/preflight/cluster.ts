import { hasEtcdMember } from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts } from './check.js';

/**
 * Machines whose clock is off by more than a minute. They were asked at some time between `from` and `to`, so an answer
 * that took long is no slow clock.
 */
export const clocksCheck = {
  name: 'clock',
  scope: 'cluster',
  summary: 'the clocks are within a minute of the clock of the machine that runs kbs',
  fix: 'set them over the network: timedatectl set-ntp true',
  check: ({ facts, from, to }: Pick<ClusterFacts, 'facts' | 'from' | 'to'>) =>
    [...facts].flatMap(([host, { clock }]) => {
      const off = clock < from ? from - clock : clock - to;
      if (off <= clockToleranceSeconds) return [];
      return [
        {
          hosts: [host],
          detail: `the clock is ${off} s ${clock < from ? 'behind' : 'ahead of'} that of this machine, and certificates go by it`,
          next: 'have it set over the network: timedatectl set-ntp true; where every host is off by as much, it is this machine',
        },
      ];
    }),
} satisfies ClusterCheck;

/** Far less than the five minutes by which certificates are dated back. */
const clockToleranceSeconds = 60;

/**
 * kbs gives a member its data before it installs what starts it: etcd without data anywhere has lost them, and would
 * be bootstrapped empty.
 */
export const etcdDataCheck = {
  name: 'etcd-data',
  scope: 'cluster',
  summary: 'where etcd is installed, a control plane has its data',
  fix: 'begin with a snapshot: kbs etcd restore FILE',
  check: ({ cluster, facts, restores }: Pick<ClusterFacts, 'cluster' | 'facts' | 'restores'>) => {
    const all = cluster.hosts
      .filter((host) => hasEtcdMember(host, cluster))
      .map(({ name }) => ({ name, seen: facts.get(name) }));
    const host = all.find(({ seen }) => seen?.etcdInstalled)?.name;
    if (restores || host === undefined || all.some(({ seen }) => seen === undefined || seen.etcdMember)) return [];
    return [
      {
        hosts: [host],
        detail: 'etcd is installed, and its data are gone from every control plane: it would begin with nothing',
        next: 'begin with a snapshot: kbs etcd restore FILE; with nothing, for good: --skip-check etcd-data',
      },
    ];
  },
} satisfies ClusterCheck;
