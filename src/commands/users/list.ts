import { BaseCommand } from '../../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../../cli/flags.js';

export default class UsersList extends BaseCommand {
  static override summary = 'The people who were given access: what they may do, where, and until when.';
  static override description =
    `The cluster itself is asked. A right that kbs did not give is marked; certificates that were signed elsewhere are not
listed, since the cluster keeps no record of them. Exit status 5 where no API server answers.`;
  static override examples = ['<%= config.bin %> users list', '<%= config.bin %> users list --json'];
  static override flags = { ...inventoryFlags, ...hostFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(UsersList);
    const { listUsers } = await import('../../workflows/users.js');
    const { usersText } = await import('../../cli/text/users-text.js');
    const found = await listUsers(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      limits: this.limits(flags),
    });
    this.print(usersText(found));
    return { cluster: found.cluster, users: found.users };
  }
}
