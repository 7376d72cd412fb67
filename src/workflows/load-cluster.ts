import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { knownVersions } from '../artifacts/catalogue.js';
import { publishedHosts } from '../artifacts/upstream/sources.js';
import { defined } from '../defined.js';
import { Failures } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { absolute, derive } from '../inventory/derive.js';
import { parseInventory, readInventory } from '../inventory/load.js';
import { readLabOverlay } from '../lab/overlay.js';
import { planPods } from '../network/pod-plan.js';
import { proveRoutes } from '../network/reachability.js';
import { compileRoutes } from '../network/routes.js';
import type { Secret } from '../secret.js';
import { requireNeeds } from './addons/needs.js';
import { readApiServerFiles } from './inventory-files/api-server.js';
import { readExternalEtcdFiles } from './inventory-files/external-etcd.js';
import { readRegistryCas } from './inventory-files/registry-cas.js';

/** An inventory that was read, checked and derived; nothing has been contacted. */
export interface LoadedCluster {
  /** Absolute path. */
  readonly inventory: string;
  readonly cluster: Cluster;
  /** PEM: the key of the client of an external etcd. The cluster holds no secret: `withOwnerSecrets` takes it from here. */
  readonly externalEtcdKey?: Secret;
  /** Where the state of this cluster lies: `.kbs/CLUSTER` beside the inventory. */
  readonly state: string;
  /** The inventory's text that the cluster is derived from. */
  readonly text: string;
  /** The same where the file does not hold it yet: written once the operator has agreed. */
  readonly unsaved?: string;
  /** What the file held when it was read; absent where it is not there yet. */
  readonly onDisk?: string;
}

/**
 * Reads an inventory and derives its cluster. Throws every mistake at once, and routes that do not lead anywhere.
 * `text` stands in for the file's content: a change that is not written yet, of a file that held `onDisk`.
 */
export const loadCluster = async (file: string, text?: string, onDisk?: string): Promise<LoadedCluster> => {
  const inventory = resolve(file);
  const content = text ?? (await readInventory(inventory));
  const source = parseInventory(content, file, knownVersions(), publishedHosts());
  const directory = dirname(inventory);
  const overlay = readLabOverlay(directory, source.cluster);
  const basePaths = { directory, home: homedir(), keys: ownKeys() };
  const pathOf = (path: string) => absolute(path, basePaths);
  const registryCas = readRegistryCas(source, pathOf, content, file);
  const apiServerFiles = readApiServerFiles(source, pathOf, content, file);
  const etcdFiles = readExternalEtcdFiles(source, pathOf, content, file);
  const read = { registryCas, apiServerFiles, ...defined({ externalEtcd: etcdFiles?.public }) };
  const cluster = derive(source, { planPods, compileRoutes }, { ...basePaths, ...read }, overlay);
  const unproven = proveRoutes(cluster, cluster.routes);
  if (unproven.length > 0) throw new Failures(unproven);
  requireNeeds(cluster, content, file);
  const state = join(directory, '.kbs', cluster.name);
  return {
    inventory,
    cluster,
    state,
    text: content,
    ...defined({
      externalEtcdKey: etcdFiles?.key,
      unsaved: text,
      onDisk: text === undefined ? content : onDisk,
    }),
  };
};

/** The keys that ssh tries by itself; see IdentityFile in ssh_config(5). */
const ownKeys = (): readonly string[] =>
  ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name)).filter((path) => existsSync(path));
