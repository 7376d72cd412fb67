import { string } from '@oclif/core/flags';
import { inventoryFlags, runFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';
import { Failure } from '../../failure.js';

const { limit: _limit, only: _only, from: _from, ...flags } = runFlags;

export default class AddonsUpgrade extends RunCommand {
  static override summary = 'Bring add-ons to what kbs and the inventory have of them, and no others.';
  static override description =
    `Without a name, says which add-ons run another version than there is. With names, shows the plan for these, asks, and
does what kbs apply does for them alone. --version is written into the inventory; it is for charts of a repository or registry.`;
  static override examples = [
    '<%= config.bin %> addons upgrade',
    '<%= config.bin %> addons upgrade storage --dry-run',
    '<%= config.bin %> addons upgrade dashboard --version 0.46.0',
  ];
  static override strict = false;
  static override flags = {
    ...inventoryFlags,
    ...flags,
    version: string({ description: 'the version of its chart, written into the inventory', helpValue: 'VERSION' }),
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(AddonsUpgrade);
    if (argv.length === 0) return this.#known(flags);
    const [{ upgradeAddons, withVersion }, { phaseRun }] = await Promise.all([
      import('../../workflows/addons/upgrade.js'),
      import('../../workflows/run/plan-phases.js'),
    ]);
    const names = argv.map(String);
    const loaded = await withVersion(flags.inventory, names, flags.version);
    const { plan, summary, commands } = await this.runWorkflow(phaseRun(upgradeAddons(names)), loaded, flags);
    return flags['dry-run'] ? plan : { ...summary, commands, plan };
  }

  async #known(flags: {
    readonly inventory: string;
    readonly version: string | undefined;
    readonly 'accept-new-host-keys': boolean;
    readonly timeout: number | undefined;
  }): Promise<unknown> {
    if (flags.version !== undefined) throw new Failure('usage', 'a version is for one add-on, and none is named');
    const [{ addonStatus }, { addonUpgradesText }] = await Promise.all([
      import('../../workflows/addons/status.js'),
      import('../../cli/text/addons-text.js'),
    ]);
    const addons = await addonStatus(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      limits: this.limits(flags),
    });
    this.print(addonUpgradesText(addons));
    return { addons };
  }
}
