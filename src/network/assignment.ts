import { contains } from '../inventory/addresses.js';
import { type Cluster, nodes } from '../inventory/cluster.js';
import { movedHosts } from './pod-plan.js';

/** Who has which pods, to be kept: beside the inventory, and in the cluster itself. */
export interface Assignment {
  /** Each segment's part of the pod network. */
  readonly segments: Readonly<Record<string, string>>;
  /** Each node's pod CIDR. */
  readonly hosts: Readonly<Record<string, string>>;
}

export const assignmentOf = (cluster: Cluster): Assignment => ({
  segments: byName(cluster.network.segments.map(({ name, podCidr }) => [name, podCidr])),
  hosts: byName(nodes(cluster).map(({ name, podCidr = '' }) => [name, podCidr])),
});

/** As JSON for people and machines; the order of the inventory does not show. */
export const assignmentText = (assignment: Assignment): string => `${JSON.stringify(assignment, undefined, 2)}\n`;

/** What `assignmentText` wrote, or undefined where a text is something else. */
export const parseAssignment = (text: string): Assignment | undefined => {
  try {
    const { segments, hosts } = JSON.parse(text) as Partial<Record<keyof Assignment, unknown>>;
    return isTexts(segments) && isTexts(hosts) ? { segments, hosts } : undefined;
  } catch {
    return undefined;
  }
};

export interface Move {
  readonly host: string;
  readonly was: string;
  readonly would: string;
}

/**
 * Nodes that an earlier assignment has elsewhere. One that is in another segment now has to move, and is not among
 * them: its old pod CIDR would lie where no route leads to it.
 */
export const movesOf = (before: Assignment, cluster: Cluster): readonly Move[] =>
  movedHosts(before.hosts, assignmentOf(cluster).hosts).filter(({ host, was }) => {
    const old = Object.entries(before.segments).find(([, prefix]) => contains(prefix, was))?.[0];
    const now = cluster.hosts.find(({ name }) => name === host)?.segment;
    return old === now || !cluster.network.segments.some(({ name }) => name === old);
  });

const byName = (entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
