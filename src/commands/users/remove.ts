import { string } from '@oclif/core/args';
import { operationFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';

export default class UsersRemove extends RunCommand {
  static override summary = "End a person's access at once, whatever kubeconfigs there are.";
  static override description =
    `Shows the plan and asks first. The next request is refused: the rights are gone, and within ten seconds no API server
knows the token any more. Neither the keyring nor a bundle is needed, only SSH to a control plane.`;
  static override examples = ['<%= config.bin %> users remove anna', '<%= config.bin %> users remove anna --dry-run'];
  static override args = { name: string({ description: 'the person', required: true }) };
  static override flags = operationFlags;

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UsersRemove);
    const [{ loadCluster }, { revokeAccess }] = await Promise.all([
      import('../../workflows/load-cluster.js'),
      import('../../workflows/users.js'),
    ]);
    const { plan, summary } = await this.runWorkflow(
      revokeAccess(args.name),
      await loadCluster(flags.inventory),
      flags,
    );
    if (flags['dry-run']) return plan;
    this.print(`${args.name} has no access any more`);
    return { ...summary, plan };
  }
}
