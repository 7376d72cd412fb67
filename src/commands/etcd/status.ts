import { BaseCommand } from '../../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../../cli/flags.js';
import { exits } from '../../failure.js';

export default class EtcdStatus extends BaseCommand {
  static override summary = 'The members of etcd: the leader, the voters, and those that do not answer.';
  static override description = 'Exit status 8 where a member is not healthy, or too few are for a quorum.';
  static override examples = ['<%= config.bin %> etcd status', '<%= config.bin %> etcd status --json'];
  static override flags = { ...inventoryFlags, ...hostFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(EtcdStatus);
    const { etcdStatus } = await import('../../workflows/etcd/etcd.js');
    const { etcdText } = await import('../../cli/text/etcd-text.js');
    const status = await etcdStatus(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text) => this.say(text),
      limits: this.limits(flags),
    });
    this.print(etcdText(status));
    const sick = status.members.some((member) => member.status === undefined || member.status.errors.length > 0);
    if (!status.quorum || sick) this.exitWith(exits.partial);
    return status;
  }
}
