import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { operationFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';

export default class Reset extends RunCommand {
  static override summary = 'Leave hosts as they were before kbs: all of them, which ends the cluster, or those named.';
  static override description =
    `Shows the plan and asks first. What kbs put on a host is removed, and what lay there before comes back; what others
installed is not touched. Nothing is drained. A host that the cluster still has is refused: kbs remove takes it out and
resets it. The inventory and the keyring stay. Hosts that do not answer are skipped, and are an error where they are named.`;
  static override examples = [
    '<%= config.bin %> reset --dry-run',
    '<%= config.bin %> reset',
    '<%= config.bin %> reset worker-rack-00',
    '<%= config.bin %> reset --skip-check authority   # the keyring is lost',
  ];
  static override strict = false;
  static override args = { host: string({ description: 'the hosts; all of the inventory when absent' }) };
  static override flags = {
    ...operationFlags,
    force: boolean({ description: 'reset named hosts that the cluster still has, or may still have' }),
    'skip-check': runFlags['skip-check'],
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Reset);
    const [{ loadCluster }, { reset }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/reset.js'),
    ]);
    const names = [...new Set(argv.map(String))];
    const workflow = reset({ names, force: flags.force, say: (text) => this.say(text) });
    const { plan, summary } = await this.runWorkflow(workflow, await loadCluster(flags.inventory), flags);
    return flags['dry-run'] ? plan : { ...summary, plan };
  }
}
