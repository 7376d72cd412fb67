import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { namespaceFile, type Places, placesOf, recordFile, switchNamespace } from './paths.js';

/** What a standing lab lays over the SSH settings of its inventory: the key that opens its hosts, and their own keys. */
export interface LabOverlay {
  /** Paths of private keys, absolute. */
  readonly keys: readonly string[];
  /** Path of the known_hosts file, absolute. */
  readonly knownHosts: string;
  /** By host: the address that the lab gave it, whatever name or address the inventory's SSH settings have. */
  readonly addresses: Readonly<Record<string, string>>;
}

/**
 * The overlay of a cluster's lab, or undefined where none stands. The folder beside the inventory counts only while
 * the lab that wrote it has its network and is still this inventory's.
 */
export const readLabOverlay = (
  inventoryDir: string,
  clusterName: string,
  places: Places = placesOf(),
): LabOverlay | undefined => {
  const state = labState(inventoryDir, clusterName);
  try {
    statSync(namespaceFile(switchNamespace(clusterName)));
    const record = parse<{ readonly state: string }>(recordFile(places, clusterName));
    if (record.state !== state) return undefined;
    const { key, knownHosts, addresses } = parse<SshJson>(join(state, sshJson));
    return { keys: [key], knownHosts, addresses };
  } catch {
    return undefined;
  }
};

/** The folder that a lab keeps beside its inventory: `.kbs/CLUSTER/lab`. */
export const labState = (inventoryDir: string, clusterName: string): string =>
  resolve(inventoryDir, '.kbs', clusterName, 'lab');

/** The name of the file in that folder that tells where key and known_hosts are. */
export const sshJson = 'ssh.json';

export interface SshJson {
  readonly key: string;
  readonly knownHosts: string;
  readonly addresses: Readonly<Record<string, string>>;
}

/** Trusted, since the lab wrote it; a file cut short is no JSON and throws. */
const parse = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
