import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { knownVersions } from '../../artifacts/catalogue.js';
import { Failure, failuresIn } from '../../failure.js';
import { pinPodCidr, pinSegment, saveInventory } from '../../inventory/edit.js';
import { parseInventory, readInventory } from '../../inventory/load.js';
import {
  type Assignment,
  assignmentOf,
  assignmentText,
  type Move,
  movesOf,
  parseAssignment,
} from '../../network/assignment.js';
import { makePrivateFolder } from '../../private-folder.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';

/**
 * Sees to it that nodes keep the pod CIDRs that earlier runs gave them: Kubernetes cannot change them, and pods run in
 * them. Where a change of the inventory would move one, the old value is pinned in the inventory, and said.
 * Gives the cluster with its pins. Throws `inventory` where they cannot be kept.
 */
export const keepPodCidrs = async (opened: LoadedCluster, say: (text: string) => void): Promise<LoadedCluster> => {
  const held = await hold(opened);
  if (held.pins.length === 0) return opened;
  await saveInventory(opened.inventory, held.text);
  say(`${opened.inventory}: wrote down what would have moved otherwise: ${held.pins.join(', ')}`);
  return held.opened;
};

/** The same without writing: for looking ahead. */
export const foreseePodCidrs = async (opened: LoadedCluster, say: (text: string) => void): Promise<LoadedCluster> => {
  const held = await hold(opened);
  if (held.pins.length > 0) say(`would be written into ${opened.inventory}: ${held.pins.join(', ')}`);
  return held.opened;
};

/** Remembers who has which pods, before the first node is told. */
export const recordPodCidrs = async ({ state, cluster }: LoadedCluster): Promise<void> => {
  const [path, text] = [recordIn(state), assignmentText(assignmentOf(cluster))];
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  makePrivateFolder(state);
  await writeFileAtomic(path, text);
};

interface Held {
  readonly opened: LoadedCluster;
  /** The inventory with the pins in it. */
  readonly text: string;
  /** `hosts.worker-00.podCIDR: 10.244.36.0/24` */
  readonly pins: readonly string[];
}

const hold = async (opened: LoadedCluster): Promise<Held> => {
  const before = await recorded(opened.state);
  const unpinned = { opened, text: '', pins: [] };
  if (before === undefined || movesOf(before, opened.cluster).length === 0) return unpinned;
  const start = { ...unpinned, text: opened.unsaved ?? (await readInventory(opened.inventory)) };
  return holdHosts(await holdSegments(start, before), before);
};

/** A pin on a segment stands for many on its hosts. Where there is no room for it, theirs must do. */
const holdSegments = async (held: Held, before: Assignment): Promise<Held> => {
  const { cluster } = held.opened;
  const moving = new Set(movesOf(before, cluster).map(({ host }) => host));
  const written = parseInventory(held.text, held.opened.inventory, knownVersions());
  const pins = cluster.network.segments.flatMap(({ name, podCidr }): readonly Pin[] => {
    const was = before.segments[name];
    const concerned = cluster.hosts.some((host) => host.segment === name && moving.has(host.name));
    if (!concerned || was === undefined || was === podCidr || written.network.segments[name]?.pods) return [];
    return [{ says: `network.segments.${name}.pods: ${was}`, into: (text) => pinSegment(text, name, was) }];
  });
  return pinned(held, pins).catch((error: unknown) => {
    if (failuresIn(error).length > 0) return held;
    throw error;
  });
};

/** Each pin may push another host away, which is then pinned too: at the latest when all are, nobody moves. */
const holdHosts = async (held: Held, before: Assignment): Promise<Held> => {
  const written = parseInventory(held.text, held.opened.inventory, knownVersions());
  // What somebody pinned elsewhere by hand is meant so.
  const moves = movesOf(before, held.opened.cluster).filter(({ host }) => !written.hosts[host]?.podCIDR);
  if (moves.length === 0) return held;
  const pins = moves.map(
    ({ host, was }): Pin => ({
      says: `hosts.${host}.podCIDR: ${was}`,
      into: (text) => pinPodCidr(text, host, was),
    }),
  );
  const next = await pinned(held, pins).catch((error: unknown) => {
    throw cannotKeep(moves, error);
  });
  return holdHosts(next, before);
};

interface Pin {
  readonly says: string;
  into(text: string): string;
}

const pinned = async (held: Held, pins: readonly Pin[]): Promise<Held> => {
  if (pins.length === 0) return held;
  const text = pins.reduce((edited, pin) => pin.into(edited), held.text);
  const opened = await loadCluster(held.opened.inventory, text);
  return { opened, text, pins: [...held.pins, ...pins.map(({ says }) => says)] };
};

const cannotKeep = (moves: readonly Move[], cause: unknown): unknown => {
  const reasons = failuresIn(cause);
  if (reasons.length === 0) return cause;
  return new Failure('inventory', 'nodes cannot keep the pod CIDRs that they have in the cluster', {
    why: [
      ...moves.map(({ host, was, would }) => `${host} has ${was} and would get ${would}`),
      ...reasons.map(({ message }) => message),
    ],
    next: 'undo the last change of the networks in the inventory, or choose others that leave these where they are',
    cause,
  });
};

const recordIn = (state: string): string => join(state, 'pod-cidrs.json');

const recorded = async (state: string): Promise<Assignment | undefined> => {
  const path = recordIn(state);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const assignment = parseAssignment(text);
  if (assignment !== undefined) return assignment;
  throw new Failure('refused', `${path} does not say which nodes have which pods`, {
    next: `take it from the cluster: kubectl -n kube-system get configmap kbs -o jsonpath='{.data.pod-cidrs\\.json}' > ${path}`,
  });
};
