import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';

export default class Kubeconfig extends BaseCommand {
  static override summary = "Print the administrator's kubeconfig, or merge it into your own.";
  // Never `> ~/.kube/config`: the shell empties that file before kbs has anything to put there.
  static override examples = [
    '<%= config.bin %> kubeconfig --merge',
    '<%= config.bin %> kubeconfig > admin.kubeconfig',
  ];
  static override flags = {
    ...inventoryFlags,
    merge: boolean({ description: 'add it to $KUBECONFIG or ~/.kube/config and make it the current context' }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(Kubeconfig);
    const { loadCluster } = await import('../workflows/load-cluster.js');
    const { readKubeconfig, mergeKubeconfig } = await import('../workflows/kubeconfig.js');
    const opened = await loadCluster(flags.inventory);
    if (!flags.merge) {
      this.print((await readKubeconfig(opened)).reveal());
      return { path: `${opened.state}/kubeconfig` };
    }
    const path = await mergeKubeconfig(opened);
    this.print(`merged into ${path}; the current context is ${opened.cluster.name}`);
    return { path };
  }
}
