import { inventoryFlags, runFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';
import { Failure } from '../../failure.js';

const { limit: _limit, only: _only, from: _from, ...flags } = runFlags;

export default class AddonsRemove extends RunCommand {
  static override summary = 'Take add-ons out of the inventory, and remove them from the cluster.';
  static override description =
    `Takes the lines out of the inventory, and then does what kbs apply does: shows the plan, asks, and makes everything what
the inventory says. CustomResourceDefinitions of a chart and the data of volumes stay.`;
  static override examples = [
    '<%= config.bin %> addons remove metrics-server',
    '<%= config.bin %> addons remove storage --dry-run',
  ];
  static override strict = false;
  static override flags = { ...inventoryFlags, ...flags };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(AddonsRemove);
    if (argv.length === 0) {
      throw new Failure('usage', 'no add-on is named', { next: 'see which there are: kbs addons list' });
    }
    const { withoutAddons } = await import('../../workflows/addons/edit.js');
    return this.runPhases('apply', await withoutAddons(flags.inventory, argv.map(String)), flags);
  }
}
