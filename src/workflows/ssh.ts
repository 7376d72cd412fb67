import { interactive } from '../hosts/interactive.js';
import { sshCompletion } from '../hosts/ssh/ssh-config.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { loadCluster } from './load-cluster.js';

/** Opens a shell on a host of the inventory, or runs one command there; gives its exit status. */
export const sshTo = async (file: string, name: string, command: readonly string[]): Promise<number> => {
  const { cluster } = await loadCluster(file);
  const host = cluster.hosts.find((candidate) => candidate.name === name);
  if (!host) {
    const known = cluster.hosts.map((candidate) => candidate.name);
    throw unknownName('the inventory has no host', [name], known);
  }
  return interactive(await sshCompletion()(name, host.ssh), command);
};
