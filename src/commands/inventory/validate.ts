import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class InventoryValidate extends BaseCommand {
  static override summary = 'Read an inventory and report every mistake in it. Contacts no host.';
  static override examples = ['<%= config.bin %> inventory validate -i kbs.yaml'];
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(InventoryValidate);
    const { loadCluster } = await import('../../workflows/load-cluster.js');
    const { networkText } = await import('../../cli/text/network-text.js');
    const { cluster } = await loadCluster(flags.inventory);
    this.print(networkText(cluster));
    return { cluster: cluster.name, hosts: cluster.hosts.length, segments: cluster.network.segments };
  }
}
