import { inventoryFlags, runFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';
import { Failure } from '../../failure.js';

const { limit: _limit, only: _only, from: _from, ...flags } = runFlags;

export default class AddonsInstall extends RunCommand {
  static override summary = 'Add add-ons to the inventory, and install them.';
  static override description =
    `Writes the names into the inventory, and then does what kbs apply does: shows the plan, asks, and makes everything what
the inventory says. Settings of an add-on and charts of your own are written into the inventory: see docs/addons.md.`;
  static override examples = [
    '<%= config.bin %> addons install storage metrics-server',
    '<%= config.bin %> addons install storage --dry-run',
  ];
  static override strict = false;
  static override flags = { ...inventoryFlags, ...flags };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(AddonsInstall);
    if (argv.length === 0) {
      throw new Failure('usage', 'no add-on is named', { next: 'see which there are: kbs addons list' });
    }
    const { withAddons } = await import('../../workflows/addons/edit.js');
    return this.runPhases('apply', await withAddons(flags.inventory, argv.map(String)), flags);
  }
}
