import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { operationFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';
import { exits } from '../failure.js';

export default class Reset extends RunCommand {
  static override summary = 'Leave hosts as they were before kbs: all of them, which ends the cluster, or those named.';
  static override description =
    `Shows the plan and asks first. What kbs put on a host is removed, and what lay there before comes back; what others
installed is not touched. Nothing is drained. A host that the cluster still has is refused: kbs remove takes it out and
resets it. The inventory and the keyring stay. Hosts that do not answer are skipped, and are an error where they are named.
With --foreign, kbs changes nothing: it says what another cluster has left on each host, how the tool of that cluster ends
it, and, where no tool is left, the commands that remove it.`;
  static override examples = [
    '<%= config.bin %> reset --dry-run',
    '<%= config.bin %> reset',
    '<%= config.bin %> reset worker-rack-00',
    '<%= config.bin %> reset --skip-check authority   # the keyring is lost',
    '<%= config.bin %> reset --foreign worker-rack-00   # explains what another cluster left there',
  ];
  static override strict = false;
  static override args = { host: string({ description: 'the hosts; all of the inventory when absent' }) };
  static override flags = {
    ...operationFlags,
    force: boolean({ description: 'reset named hosts that the cluster still has, or may still have' }),
    foreign: boolean({
      description: 'change nothing: explain what other clusters have left on the hosts, and how it is removed',
      exclusive: ['force', 'yes', 'dry-run', 'events', 'skip-check'],
    }),
    'skip-check': runFlags['skip-check'],
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Reset);
    const names = [...new Set(argv.map(String))];
    if (flags.foreign) return this.#explainForeign(names, flags);
    const [{ loadCluster }, { reset }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/reset.js'),
    ]);
    const workflow = reset({ names, force: flags.force, say: (text) => this.say(text) });
    const { plan, summary } = await this.runWorkflow(workflow, await loadCluster(flags.inventory), flags);
    return flags['dry-run'] ? plan : { ...summary, plan };
  }
  async #explainForeign(
    names: readonly string[],
    flags: {
      readonly inventory: string;
      readonly timeout?: number | undefined;
      readonly 'accept-new-host-keys': boolean;
    },
  ): Promise<unknown> {
    const [{ loadCluster }, { foreignOf }, { foreignText }, { colorsFor }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/foreign.js'),
      import('../cli/text/foreign-text.js'),
      import('../cli/text/color.js'),
    ]);
    const foreign = await foreignOf(await loadCluster(flags.inventory), {
      names,
      acceptNewHostKeys: flags['accept-new-host-keys'],
      limits: this.limits(flags),
    });
    this.print(foreignText(foreign, colorsFor(process.stdout)));
    const unknown = foreign.hosts.filter(({ problem }) => problem !== undefined).length;
    if (unknown === foreign.hosts.length) this.exitWith(exits.unreachable);
    else if (unknown > 0) this.exitWith(exits.partial);
    return foreign;
  }
}
