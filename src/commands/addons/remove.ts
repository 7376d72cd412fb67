import { boolean } from '@oclif/core/flags';
import { inventoryFlags, runFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';
import { Failure } from '../../failure.js';

const { limit: _limit, only: _only, from: _from, ...flags } = runFlags;

export default class AddonsRemove extends RunCommand {
  static override summary = 'Take add-ons out of the inventory, and remove them from the cluster.';
  static override description =
    `Takes the lines out of the inventory, and then does what kbs apply does: shows the plan, asks, and makes everything what
the inventory says. CustomResourceDefinitions that Helm keeps, and claims that are not of the chart, stay: the plan names
them. With --purge they go too, with every object of these kinds and the data of these volumes.`;
  static override examples = [
    '<%= config.bin %> addons remove metrics-server',
    '<%= config.bin %> addons remove storage --dry-run',
    '<%= config.bin %> addons remove cert-manager --purge',
  ];
  static override strict = false;
  static override flags = {
    ...inventoryFlags,
    ...flags,
    purge: boolean({ description: 'also remove what would stay: kinds with their objects, claims with their data' }),
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(AddonsRemove);
    if (argv.length === 0) {
      throw new Failure('usage', 'no add-on is named', { next: 'see which there are: kbs addons list' });
    }
    const { purgedAddons, withoutAddons } = await import('../../workflows/addons/edit.js');
    const names = argv.map(String);
    const loaded = await withoutAddons(flags.inventory, names);
    const about = flags.purge ? { purges: await purgedAddons(flags.inventory, names) } : {};
    return this.runPhases('apply', loaded, flags, about);
  }
}
