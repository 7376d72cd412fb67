import { setTimeout as sleep } from 'node:timers/promises';
import { controlPlanes, isRouter, loadBalancers } from '../../src/inventory/cluster.js';
import { labFreeze, labHeal, labKill, labPartition, labReboot, labStart, labThaw } from '../../src/lab/index.js';
import { podCidrsOf } from '../../src/network/assignment.js';
import type { Site } from './site.js';

/** A fault that is injected into a cluster. */
export interface Fault {
  readonly name: string;
  /** The fault for this cluster, or undefined where the cluster has nothing that it applies to. */
  readonly prepare: (site: Site) => Promise<Prepared | undefined>;
}

export interface Prepared {
  /** A phrase for the table, with the host. */
  readonly what: string;
  readonly inflict: () => Promise<unknown>;
  /** Seconds between fault and repair. */
  readonly seconds: number;
  readonly repair: () => Promise<unknown>;
}

/** In the order of the table. The etcd leader and the holder of the address are determined just before. */
export const faults: readonly Fault[] = [
  {
    name: 'kill-control-plane',
    prepare: async (site) => {
      const leader = await etcdLeader(site);
      const all = controlPlanes(site.cluster).map(({ name }) => name);
      const host = all.find((name) => name !== leader) ?? all[0];
      const follower = several(site) ? ', an etcd follower,' : '';
      return host ? killed(site, host, `control plane ${host}${follower} loses power`) : undefined;
    },
  },
  {
    name: 'kill-etcd-leader',
    prepare: async (site) => {
      const host = await etcdLeader(site);
      return several(site) && host
        ? killed(site, host, `control plane ${host}, the etcd leader, loses power`)
        : undefined;
    },
  },
  {
    name: 'kill-load-balancer',
    prepare: async (site) => {
      const host = await vipHolder(site);
      return host ? killed(site, host, `load balancer ${host}, which holds the VIP, loses power`) : undefined;
    },
  },
  {
    name: 'stop-api-server',
    prepare: async (site) => {
      const host = controlPlanes(site.cluster)[0]?.name;
      if (!host) return undefined;
      const [stop, start] = apiServerSwitch[site.cluster.kubernetes.controlPlane];
      return stopped(site, host, `the API server of ${host} is stopped`, stop, start);
    },
  },
  {
    name: 'stop-haproxy',
    prepare: async (site) => {
      const host = await vipHolder(site);
      return host
        ? stopped(site, host, `haproxy is stopped on ${host}, which holds the VIP`, ...haproxySwitch)
        : undefined;
    },
  },
  {
    name: 'partition-etcd-leader',
    prepare: async (site) => {
      const leader = await etcdLeader(site);
      const others = controlPlanes(site.cluster).flatMap(({ name }) => (name === leader ? [] : [name]));
      if (!leader || others.length === 0) return undefined;
      const pods = podsOf(site);
      return {
        what: `the etcd leader ${leader} is cut off from ${others.join(' and ')}`,
        inflict: () => labPartition(site.cluster.name, [leader], others, { pods }),
        seconds: 30,
        repair: () => labHeal(site.cluster.name, [leader], others, { pods }),
      };
    },
  },
  {
    name: 'pause-control-plane',
    prepare: async (site) => {
      const host = (await etcdLeader(site)) ?? controlPlanes(site.cluster)[0]?.name;
      return host
        ? paused(site, host, `control plane ${host}${several(site) ? ', the etcd leader,' : ''} hangs`)
        : undefined;
    },
  },
  {
    name: 'pause-load-balancer',
    prepare: async (site) => {
      const host = await vipHolder(site);
      return host ? paused(site, host, `load balancer ${host}, which holds the VIP, hangs`) : undefined;
    },
  },
  {
    name: 'kill-router',
    prepare: async (site) => {
      const host = site.cluster.hosts.find(isRouter)?.name;
      return host ? { ...killed(site, host, `the router ${host} loses power`), seconds: 10 } : undefined;
    },
  },
  {
    name: 'reboot-all',
    prepare: async ({ cluster }) => ({
      what: 'every host reboots at once',
      inflict: () => labReboot(`${cluster.name}/all`),
      seconds: 0,
      repair: async () => {},
    }),
  },
];

const killed = (site: Site, host: string, what: string): Prepared => ({
  what,
  inflict: () => labKill(`${site.cluster.name}/${host}`),
  seconds: 30,
  repair: () => labStart(`${site.cluster.name}/${host}`),
});

const paused = (site: Site, host: string, what: string): Prepared => ({
  what,
  inflict: () => labFreeze(`${site.cluster.name}/${host}`),
  seconds: 60,
  repair: () => labThaw(`${site.cluster.name}/${host}`),
});

const stopped = (site: Site, host: string, what: string, stop: string, start: string): Prepared => ({
  what,
  inflict: () => site.on(host, stop),
  seconds: 30,
  repair: () => site.on(host, start),
});

/** Shell that stops the API server of a host and lets nothing start it again, and shell that undoes that. */
const apiServerSwitch = {
  'static-pods': [
    'mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/kube-apiserver.yaml.away',
    'mv /root/kube-apiserver.yaml.away /etc/kubernetes/manifests/kube-apiserver.yaml',
  ],
  systemd: ['systemctl stop kube-apiserver', 'systemctl start kube-apiserver'],
} as const;

const haproxySwitch = ['systemctl stop haproxy', 'systemctl start haproxy'] as const;

const several = ({ cluster }: Site): boolean => controlPlanes(cluster).length > 1;

const podsOf = ({ cluster }: Site): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(cluster.hosts.map((host) => [host.name, podCidrsOf(host)]));

/** The control plane whose etcd says that it leads; asked again while an election is on. */
const etcdLeader = async (site: Site): Promise<string | undefined> => {
  const question = "curl -s --max-time 3 http://127.0.0.1:2381/metrics | grep -c '^etcd_server_is_leader 1' || :";
  return asked(controlPlanes(site.cluster), async ({ name }) => (await site.on(name, question)) === '1');
};

/** The load balancer that has the virtual address; undefined where the cluster has none. */
const vipHolder = async (site: Site): Promise<string | undefined> => {
  const { vip } = site.cluster.endpoint;
  if (vip === undefined || loadBalancers(site.cluster).length === 0) return undefined;
  const question = `ip -4 -o address show to ${vip} | wc -l`;
  const holder = await asked(loadBalancers(site.cluster), async ({ name }) => (await site.on(name, question)) !== '0');
  if (holder === undefined) throw new Error(`no load balancer holds ${vip}`);
  return holder;
};

const asked = async <Host extends { readonly name: string }>(
  hosts: readonly Host[],
  question: (host: Host) => Promise<boolean>,
): Promise<string | undefined> => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answers = await Promise.all(hosts.map(question));
    const found = hosts.find((_, at) => answers[at]);
    if (found !== undefined) return found.name;
    await sleep(500);
  }
  return undefined;
};
