import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class AddonsList extends BaseCommand {
  static override summary = 'The add-ons that kbs knows, and those of the inventory.';
  static override description =
    `Each with where its images come from: the bundle, or a registry that hosts ask. -v adds charts, namespaces and images, and says
which images cannot be had, for the bundle lacks them; with --ask-registries also those that registries do not have. These are asked
by this machine, without a login, through the mirrors of the inventory; on hosts: kbs verify --pull IMAGE. No host is contacted.`;
  static override examples = [
    '<%= config.bin %> addons list',
    '<%= config.bin %> addons list -v --ask-registries',
    '<%= config.bin %> addons list --json',
  ];
  static override flags = {
    ...inventoryFlags,
    'ask-registries': boolean({ description: 'ask registries whether they have the images, from this machine' }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(AddonsList);
    const { listAddons } = await import('../../workflows/addons/list.js');
    const { addonListText } = await import('../../cli/text/addons-text.js');
    const addons = await listAddons(flags.inventory, flags['ask-registries'] ? { signal: this.signal } : undefined);
    this.print(addonListText(addons, flags.verbose));
    return { addons };
  }
}
