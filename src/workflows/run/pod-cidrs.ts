import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { knownVersions } from '../../artifacts/catalogue.js';
import { Failure, Failures, failuresIn } from '../../failure.js';
import type { Cluster } from '../../inventory/cluster.js';
import { pinPodCidr, pinSegment } from '../../inventory/edit.js';
import { parseInventory } from '../../inventory/load.js';
import type { NodeCidrsAnswer } from '../../kubernetes/node-cidrs.js';
import {
  type Assignment,
  assignmentFrom,
  assignmentOf,
  assignmentText,
  type Move,
  movesOf,
  parseAssignment,
  podCidrConflicts,
} from '../../network/assignment.js';
import { makePrivateFolder } from '../../private-folder.js';
import { type LoadedCluster, loadCluster } from '../load-cluster.js';
import { saveLoadedInventory } from '../save-inventory.js';

/** A cluster whose nodes keep the pod CIDRs that they have, and what the inventory has to say for that. */
export interface PinnedCluster {
  readonly loaded: LoadedCluster;
  /** `hosts.worker-00.podCIDR: 10.244.36.0/24`; empty where no node would move. */
  readonly pins: readonly string[];
  /** The inventory with the pins in it; of no meaning without pins. */
  readonly text: string;
}

/**
 * Decides which pod CIDRs must be pinned, so that nodes keep those of `before`: Kubernetes cannot change them, and pods
 * run in them. Writes nothing. Throws `inventory` where they cannot be kept.
 */
export const pinPodCidrs = async (loaded: LoadedCluster, before: Assignment | undefined): Promise<PinnedCluster> => {
  const unpinned: PinnedCluster = { loaded, pins: [], text: '' };
  if (before === undefined || movesOf(before, loaded.cluster).length === 0) return unpinned;
  let pinned = await withSegmentPins({ ...unpinned, text: loaded.text }, before);
  // A pin may push another host away, which the next round pins: it ends at the latest when all hosts are pinned.
  for (let moves = unpinnedMoves(pinned, before); moves.length > 0; moves = unpinnedMoves(pinned, before)) {
    pinned = await withHostPins(pinned, moves);
  }
  return pinned;
};

/** Writes the pins into the inventory, and says which. Gives the cluster with its pins. */
export const savePins = async (
  { loaded, pins, text }: PinnedCluster,
  say: (text: string) => void,
): Promise<LoadedCluster> => {
  if (pins.length === 0) return loaded;
  await saveLoadedInventory(loaded, text);
  say(`${loaded.inventory}: pinned what would have changed otherwise: ${pins.join(', ')}`);
  const { unsaved: _, ...saved } = loaded;
  return saved;
};

/**
 * The assignment that nodes are to keep: by the record beside the inventory or, where that is missing, by the cluster,
 * which `ask` then asks. Undefined where nothing is installed yet. Throws `refused` where the record is missing and the
 * cluster does not answer: its nodes may be running.
 */
export const recordedAssignment = async (
  state: string,
  ask: () => Promise<NodeCidrsAnswer>,
): Promise<Assignment | undefined> => {
  const kept = await readRecord(state);
  if (kept !== undefined) return kept;
  const answer = await ask();
  switch (answer.state) {
    case 'answered':
      return assignmentFrom(answer.nodes, answer.recorded);
    case 'not installed':
      return undefined;
    case 'not answered':
      throw new Failure('refused', 'cannot tell which pod CIDRs the nodes of the cluster have', {
        why: [`${recordIn(state)} is missing, and no API server answers`, answer.reason],
        next: 'bring that file here from where kbs ran before, or bring an API server up so that kbs can ask it (kbs status); by hand it is {"segments": {"NAME": "CIDR"}, "hosts": {"NAME": "CIDR"}}',
      });
  }
};

/**
 * Throws a Failure for each host whose planned pod CIDR contradicts the Nodes of the cluster. Passes where nothing is
 * installed, and where the API server does not answer: the record is then all that is known.
 */
export const requireFreePodCidrs = (cluster: Cluster, answer: NodeCidrsAnswer): void => {
  const conflicts = answer.state === 'answered' ? podCidrConflicts(cluster, answer.nodes) : [];
  if (conflicts.length > 0) throw new Failures(conflicts);
};

/** The record beside the inventory; undefined where there is none. Throws `refused` where it cannot be read. */
export const readRecord = async (state: string): Promise<Assignment | undefined> => {
  const path = recordIn(state);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const assignment = parseAssignment(text);
  if (assignment !== undefined) return assignment;
  throw new Failure('refused', `${path} does not say which nodes have which pod CIDRs`, {
    next: 'delete it: kbs then reads them from the cluster',
  });
};

/** Records the pod CIDRs beside the inventory, before the first host is changed. */
export const recordPodCidrs = async ({ state, cluster }: LoadedCluster): Promise<void> => {
  const [path, text] = [recordIn(state), assignmentText(assignmentOf(cluster))];
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  makePrivateFolder(state);
  await writeFileAtomic(path, text);
};

interface Pin {
  readonly says: string;
  into(text: string): string;
}

/** One pin on a segment replaces many on its hosts. Where there is no room for it, hosts are pinned instead. */
const withSegmentPins = async (pinned: PinnedCluster, before: Assignment): Promise<PinnedCluster> => {
  const { cluster } = pinned.loaded;
  const moving = new Set(movesOf(before, cluster).map(({ host }) => host));
  const written = parsed(pinned);
  const pins = cluster.network.segments.flatMap(({ name, podCidr }): readonly Pin[] => {
    const was = before.segments[name];
    const concerned = cluster.hosts.some((host) => host.segment === name && moving.has(host.name));
    if (!concerned || was === undefined || was === podCidr || written.network.segments[name]?.pods) return [];
    return [{ says: `network.segments.${name}.pods: ${was}`, into: (text) => pinSegment(text, name, was) }];
  });
  return withPins(pinned, pins).catch((error: unknown) => {
    if (failuresIn(error).length > 0) return pinned;
    throw error;
  });
};

const withHostPins = (pinned: PinnedCluster, moves: readonly Move[]): Promise<PinnedCluster> => {
  const pins = moves.map(
    ({ host, was }): Pin => ({
      says: `hosts.${host}.podCIDR: ${was}`,
      into: (text) => pinPodCidr(text, host, was),
    }),
  );
  return withPins(pinned, pins).catch((error: unknown) => {
    throw cannotKeep(moves, error);
  });
};

/** A host that the inventory pins elsewhere is meant to move. */
const unpinnedMoves = (pinned: PinnedCluster, before: Assignment): readonly Move[] => {
  const written = parsed(pinned);
  return movesOf(before, pinned.loaded.cluster).filter(({ host }) => !written.hosts[host]?.podCIDR);
};

/** The inventory as it is written: which pins it has, and not what follows from it. */
const parsed = ({ text, loaded }: PinnedCluster) => parseInventory(text, loaded.inventory, knownVersions());

const withPins = async (pinned: PinnedCluster, pins: readonly Pin[]): Promise<PinnedCluster> => {
  if (pins.length === 0) return pinned;
  const text = pins.reduce((edited, pin) => pin.into(edited), pinned.text);
  const loaded = await loadCluster(pinned.loaded.inventory, text, pinned.loaded.onDisk);
  return { loaded, text, pins: [...pinned.pins, ...pins.map(({ says }) => says)] };
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
