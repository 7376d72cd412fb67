import { inventoryFlags, outputFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';

export default class Init extends RunCommand {
  static override summary = 'Bring up everything that a cluster needs before workers.';
  static override description =
    `Control planes with etcd, the router's routes, kube-proxy and CoreDNS. Shows the plan and asks before it changes
anything. When no -i is given and ./kbs.yaml is not there, this machine becomes the control plane: kbs finds its address,
segment and gateway, shows the plan, asks, writes kbs.yaml, and goes on over the local transport.`;
  static override examples = [
    '<%= config.bin %> init -i inventories/two-segments.yaml',
    '<%= config.bin %> init --dry-run',
    '<%= config.bin %> init --dry-run -o yaml > manifests.yaml',
  ];
  static override flags = { ...inventoryFlags, ...runFlags, ...outputFlags(['text', 'yaml']) };

  override async run(): Promise<unknown> {
    const { flags, metadata } = await this.parse(Init);
    const { loadCluster } = await import('../workflows/load-cluster.js');
    const text = metadata.flags.inventory?.setFromDefault ? await this.#detect(flags.inventory) : undefined;
    return this.runPhases('init', await loadCluster(flags.inventory, text), flags);
  }

  /** An inventory of this machine alone, where none is there. A file that was named and is missing is a mistake instead. */
  async #detect(file: string): Promise<string | undefined> {
    const { detectedInventory } = await import('../workflows/detect-inventory.js');
    const text = await detectedInventory(file);
    if (text !== undefined) {
      this.say(`there is no ${file}: this very machine becomes the control plane and the one host of a cluster`);
    }
    return text;
  }
}
