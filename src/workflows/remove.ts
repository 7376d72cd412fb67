import { Failures } from '../failure.js';
import type { Cluster, ClusterHost } from '../inventory/cluster.js';
import { forgetHost, keyringDirectory } from '../pki/keyring.js';
import { affectedHosts, clusterWithout, removedHosts } from './remove/affected-hosts.js';
import { removalFailures } from './remove/checks.js';
import { type InventoryRemoval, removeFromInventory, saveRemoval } from './remove/inventory.js';
import { planRemoval } from './remove/plan.js';
import type { PlannedRun, RunContext, Workflow } from './run/context.js';

export interface RemoveOptions {
  readonly names: readonly string[];
  /** The hosts are gone for good: they are asked nothing. */
  readonly dead: boolean;
  /** Deletes pods past their budgets, and removes what others depend on. */
  readonly force: boolean;
  /** Takes dead hosts out of the inventory too. */
  readonly forget: boolean;
  readonly say: (text: string) => void;
}

/**
 * Takes hosts out of a cluster: no load balancer sends clients to them, their pods move, etcd and the API forget them, and
 * they are left as kbs found them. Killed anywhere, the same command finishes.
 */
export const remove = (options: RemoveOptions): Workflow => ({
  name: 'remove',
  plan: (run) => plan(run, options),
});

const plan = async (run: RunContext, options: RemoveOptions): Promise<PlannedRun> => {
  const { loaded, cluster: before, artifacts } = run;
  const { names, say } = options;
  const leaving = removedHosts(before, names);
  const after = clusterWithout(before, leaving);
  const refused = removalFailures(before, after, leaving, options);
  if (refused.length > 0) throw new Failures(refused);
  const inventory = await removeFromInventory(loaded, names, options);
  // A dead host that stays in the inventory will be replaced by a new machine: the other hosts keep their settings.
  const isReplaced = options.dead && 'kept' in inventory;
  const affected = isReplaced ? [] : affectedHosts(before, after, artifacts);
  return {
    ...(await planRemoval(run, { ...options, leaving, after, affected })),
    local: [localSentence(inventory, names, loaded.inventory)],
    editsInventory: !('kept' in inventory),
    finish: () => finish(run, leaving, inventory, names, say),
  };
};

const finish = async (
  { loaded, cluster }: { readonly loaded: RunContext['loaded']; readonly cluster: Cluster },
  leaving: readonly ClusterHost[],
  inventory: InventoryRemoval,
  names: readonly string[],
  say: (text: string) => void,
): Promise<void> => {
  const keyring = keyringDirectory(loaded.inventory, cluster.name);
  for (const { name } of leaving) await forgetHost(keyring, name);
  await saveRemoval(inventory, names, say);
};

const localSentence = (inventory: InventoryRemoval, names: readonly string[], file: string): string =>
  'kept' in inventory
    ? `${inventory.kept}; ${inventory.next}`
    : `on this machine: takes ${names.join(', ')} out of ${file}`;
