import { BaseCommand } from '../../cli/base-command.js';
import { consentFlags, hostFlags, inventoryFlags } from '../../cli/flags.js';

export default class EtcdDefrag extends BaseCommand {
  static override summary = 'Give back the disk space that deleted keys held, one member after the other.';
  static override description =
    'A member answers nobody while it is at it: followers go first, the leader last, and each only while all are well.';
  static override examples = ['<%= config.bin %> etcd defrag', '<%= config.bin %> etcd defrag --yes'];
  static override flags = { ...inventoryFlags, ...hostFlags, ...consentFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(EtcdDefrag);
    const { defragment } = await import('../../workflows/etcd/etcd.js');
    const { megabytes } = await import('../../cli/text/etcd-text.js');
    await this.confirm('The members of etcd will pause, one after the other.', flags.yes);
    const members = await defragment(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text) => this.say(text),
      limits: { signal: this.signal, ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }) },
    });
    for (const { member, before, after } of members) {
      this.print(`${member}: ${megabytes(before)} → ${megabytes(after)}`);
    }
    return { members };
  }
}
