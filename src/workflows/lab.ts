import { dirname, resolve } from 'node:path';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import {
  type Lab,
  labDelay,
  labDown,
  labFreeze,
  labHeal,
  labHosts,
  labKill,
  labPartition,
  labReboot,
  labRouterRoutes,
  labStart,
  labState,
  labThaw,
  labUp,
  type Partition,
} from '../lab/index.js';
import { podCidrsOf } from '../network/assignment.js';
import { loadCluster } from './load-cluster.js';
import { routersToConfigure } from './routers.js';

/** Builds the lab of an inventory. A router that the inventory does not manage gets the routes that kbs prints for it. */
export const up = async (
  file: string,
  { install, guests }: { readonly install: boolean; readonly guests: readonly string[] },
  say: (text: string) => void,
): Promise<Lab> => {
  const { cluster: listed, inventory } = await loadCluster(file);
  const cluster = withGuests(listed, guests);
  const lab = await labUp(cluster, {
    state: labState(dirname(inventory), cluster.name),
    inventoryFile: inventory,
    install,
    onProgress: say,
  });
  const routes = routersToConfigure(cluster).flatMap((router) => router.routes);
  if (routes.length > 0) await labRouterRoutes(lab, routes);
  return lab;
};

/** The cluster with these hosts as virtual machines, whatever the inventory says of them. */
const withGuests = (cluster: Cluster, names: readonly string[]): Cluster => {
  const known = cluster.hosts.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName('the inventory has no host', unknown, known);
  const hosts = cluster.hosts.map(
    (host): ClusterHost => (names.includes(host.name) ? { ...host, lab: { ...host.lab, platform: 'vm' } } : host),
  );
  return { ...cluster, hosts };
};

/** Removes the lab of an inventory; gives the cluster's name. */
export const down = async (file: string): Promise<string> => {
  const { cluster } = await loadCluster(resolve(file));
  await labDown(cluster.name);
  return cluster.name;
};

/** What can be done to hosts of a lab. */
const hostActions = {
  pause: labFreeze,
  resume: labThaw,
  kill: labKill,
  start: labStart,
  reboot: (host: string) => labReboot(host, 'orderly'),
  'power-cut': (host: string) => labReboot(host, 'power-cut'),
};

/** Does it to all of these hosts at once: names, `segment=NAME`, or `all`. Gives the hosts' names. */
export const setHostState = async (
  file: string,
  what: keyof typeof hostActions,
  words: readonly string[],
): Promise<{ readonly cluster: string; readonly hosts: readonly string[] }> => {
  const { cluster } = await loadCluster(file);
  const hosts = await labHosts(cluster.name, words);
  await Promise.all(hosts.map((host) => hostActions[what](`${cluster.name}/${host}`)));
  return { cluster: cluster.name, hosts };
};

/** All that is cut in a lab. */
export interface Partitions {
  readonly cluster: string;
  readonly partitions: readonly Partition[];
}

/** Cuts two sides off from each other; each is host names or `segment=NAME`, with commas between. */
export const partition = async (file: string, one: string, other: string): Promise<Partitions> => {
  const { cluster } = await loadCluster(file);
  const partitions = await labPartition(cluster.name, one.split(','), other.split(','), { pods: podsOf(cluster) });
  return { cluster: cluster.name, partitions };
};

/** Heals partitions between two sides, between one side and all others, or all of them. */
export const heal = async (file: string, one?: string, other?: string): Promise<Partitions> => {
  const { cluster } = await loadCluster(file);
  const partitions = await labHeal(cluster.name, one?.split(','), other?.split(','), { pods: podsOf(cluster) });
  return { cluster: cluster.name, partitions };
};

/** Makes a segment slow, or quick again. */
export const delay = async (file: string, segment: string, ms: number): Promise<string> => {
  const { cluster } = await loadCluster(file);
  await labDelay(cluster.name, segment, ms);
  return cluster.name;
};

const podsOf = (cluster: Cluster): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(cluster.hosts.map((host) => [host.name, podCidrsOf(host)]));
