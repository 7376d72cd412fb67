import { type Cluster, type ClusterHost, controlPlanes, loadBalancers, majority } from '../inventory/cluster.js';
import type { ClusterCheck, ClusterFacts, HostCheck } from './check.js';

/** What of virtual machines makes a cluster slow or fragile. */
export const stealCheck = {
  name: 'steal',
  scope: 'host',
  warns: true,
  summary: 'the hypervisor of a guest has given at most 10 % of its CPU time to others',
  fix: 'give the guest CPUs of its own, or put fewer guests on its hypervisor',
  check: (_host, { machine }) => {
    const steal = machine?.steal ?? 0;
    if (machine?.kind !== 'virtual' || steal <= stealLimit) return [];
    return [
      {
        detail: `since it booted, its hypervisor has given ${Math.round(steal * 100)} % of its CPU time to others`,
        next: 'give the guest CPUs of its own, or put fewer guests on that hypervisor; etcd needs its CPU at once',
      },
    ];
  },
} satisfies HostCheck;

const stealLimit = 0.1;

/** Reading one of these takes a microsecond or more, since each reading leaves the guest; programs read the clock all the time. */
export const clockSourceCheck = {
  name: 'clock-source',
  scope: 'host',
  warns: true,
  summary: "the clock of a guest is quick to read: its hypervisor's own, or tsc",
  fix: 'choose another clock source, or give the guest a CPU model with an invariant TSC',
  check: (_host, { machine }) => {
    const { kind, clockSource = '', clockSources = [] } = machine ?? {};
    if (kind !== 'virtual' || !['acpi_pm', 'hpet', 'jiffies', 'pit'].includes(clockSource)) return [];
    const better = clockSources.find((name) => fastClocks.includes(name));
    return [
      {
        detail: `the clock source of this guest is ${clockSource}, which is slow to read`,
        next:
          better === undefined
            ? "give the guest its hypervisor's own clock, or a CPU model with an invariant TSC"
            : `echo ${better} > /sys/devices/system/clocksource/clocksource0/current_clocksource; to keep it: clocksource=${better} on the kernel command line`,
      },
    ];
  },
} satisfies HostCheck;

const fastClocks: readonly string[] = ['kvm-clock', 'tsc', 'hyperv_clocksource_tsc_page', 'xen'];

/** Members of etcd, and load balancers, that fail together because the inventory has them on one hypervisor. */
export const hypervisorsCheck = {
  name: 'hypervisor',
  scope: 'cluster',
  warns: true,
  summary: 'no two control planes are guests of one `hypervisor` of the inventory, and not all load balancers are',
  fix: 'move some of them to another hypervisor',
  check: ({ cluster }: Pick<ClusterFacts, 'cluster'>) => [
    ...together(controlPlanes(cluster)).map(({ hosts, hypervisor }) => ({
      hosts,
      detail: `${hosts.join(', ')} are guests of one hypervisor, ${hypervisor}: ${lossOf(hosts.length, cluster)}`,
      next: `move a control plane to another hypervisor; see what fails: kbs what-if --without hypervisor=${hypervisor}`,
    })),
    ...together(loadBalancers(cluster))
      .filter(({ hosts }) => hosts.length === loadBalancers(cluster).length)
      .map(({ hosts, hypervisor }) => ({
        hosts,
        detail: `all load balancers, ${hosts.join(', ')}, are guests of one hypervisor, ${hypervisor}: the API's address fails with it`,
        next: 'move one of them to another hypervisor',
      })),
  ],
} satisfies ClusterCheck;

const lossOf = (guests: number, cluster: Cluster): string => {
  const members = controlPlanes(cluster).length;
  return members - guests < majority(members)
    ? 'etcd loses its majority with it'
    : `etcd loses ${guests} of ${members} members with it`;
};

const together = (hosts: readonly ClusterHost[]) =>
  [...new Set(hosts.flatMap(({ hypervisor }) => hypervisor ?? []))]
    .map((hypervisor) => ({
      hypervisor,
      hosts: hosts.filter((host) => host.hypervisor === hypervisor).map(({ name }) => name),
    }))
    .filter((group) => group.hosts.length > 1);
