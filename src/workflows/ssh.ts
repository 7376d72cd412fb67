import { Failure } from '../failure.js';
import { interactive } from '../hosts/interactive.js';
import { loadCluster } from './load-cluster.js';

/** Opens a shell on a host of the inventory, or runs one command there; gives its exit status. */
export const sshTo = async (file: string, name: string, command: readonly string[]): Promise<number> => {
  const { cluster } = await loadCluster(file);
  const host = cluster.hosts.find((candidate) => candidate.name === name);
  if (!host) {
    throw new Failure('usage', `the inventory has no host ${name}`, {
      next: `it has ${cluster.hosts.map((known) => known.name).join(', ')}`,
    });
  }
  return interactive(host.ssh, command);
};
