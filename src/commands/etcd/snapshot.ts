import { file } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../../cli/flags.js';

export default class EtcdSnapshot extends BaseCommand {
  static override summary = 'Take a snapshot of etcd into a file of this machine.';
  static override description =
    `It holds every object of the cluster; Secrets are in it as they lie in etcd, encrypted with the key in the
keyring. Without a name it goes to .kbs/CLUSTER/snapshots beside the inventory. It is read whole before it is accepted.`;
  static override examples = ['<%= config.bin %> etcd snapshot', '<%= config.bin %> etcd snapshot /backup/monday.db'];
  static override args = { file: file({ description: 'where to write it' }) };
  static override flags = { ...inventoryFlags, ...hostFlags };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(EtcdSnapshot);
    const { takeSnapshot } = await import('../../workflows/etcd/snapshot.js');
    const { megabytes } = await import('../../cli/text/etcd-text.js');
    const snapshot = await takeSnapshot(flags.inventory, args.file, new Date(), {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text) => this.say(text),
      limits: this.limits(flags),
    });
    const { keys, revision, size, hash } = snapshot;
    this.print(`${snapshot.file}\n  ${keys} keys at revision ${revision}, ${megabytes(size)}, hash ${hash}`);
    return snapshot;
  }
}
