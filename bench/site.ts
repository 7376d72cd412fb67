import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labDown, labState, labUp } from '../src/lab/index.js';
import { type LoadedCluster, loadCluster } from '../src/workflows/load-cluster.js';

/** A lab of benchmarks: one control plane, two workers in two segments and the router between them, booted and bare. */
export type Site = LoadedCluster;

/**
 * Boots the lab, hands it to `work` and takes it down again, whatever happens meanwhile. Names and networks are its
 * own, so that other labs may stand beside it; a second benchmark may not. Another inventory has the same cluster's name.
 */
export const withSite = async <T>(work: (site: Site) => Promise<T>, inventory = usual): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-bench-'));
  try {
    const file = join(folder, 'kbs.yaml');
    writeFileSync(file, inventory);
    const { cluster } = await loadCluster(file);
    await labDown(cluster.name);
    await labUp(cluster, { state: labState(folder, cluster.name), install: false, onProgress: () => {} });
    execFileSync('sync');
    return await work(await loadCluster(file)); // read again: now with the lab's keys
  } finally {
    await labDown(name);
    rmSync(folder, { recursive: true, force: true });
  }
};

const name = 'bench';

const usual = `apiVersion: kbs/v1
cluster: ${name}
kubernetes: { version: "1.36.3" }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    office: { cidr: 10.72.10.0/24, gateway: 10.72.10.1 }
    rack: { cidr: 10.72.20.0/24, gateway: 10.72.20.1 }
ssh: { user: root }
hosts:
  controller-00: { address: 10.72.10.10, roles: [control-plane] }
  worker-office-00: { address: 10.72.10.20, roles: [worker] }
  worker-rack-00: { address: 10.72.20.20, roles: [worker] }
  edge: { address: 10.72.10.1, roles: [router], addresses: { office: 10.72.10.1, rack: 10.72.20.1 } }
`;
