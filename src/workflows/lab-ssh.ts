import { dirname } from 'node:path';
import { Failure } from '../failure.js';
import { labHosts, readLabOverlay } from '../lab/index.js';
import { loadCluster } from './load-cluster.js';
import { sshTo } from './ssh.js';

/** As `sshTo`, but only on a host of the inventory's lab: without that lab the name would mean the real machine. */
export const sshToLabHost = async (file: string, name: string, command: readonly string[]): Promise<number> => {
  const { cluster, inventory } = await loadCluster(file);
  await labHosts(cluster.name, [name]);
  if (readLabOverlay(dirname(inventory), cluster.name) === undefined) {
    throw new Failure('usage', `the lab of ${cluster.name} that stands was built from another inventory`, {
      where: { position: inventory },
      next: 'name the inventory that it was built from with -i',
    });
  }
  return sshTo(file, name, command);
};
