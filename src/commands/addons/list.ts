import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class AddonsList extends BaseCommand {
  static override summary = 'The add-ons that kbs knows, and those of the inventory.';
  static override description = 'No host is contacted. -v adds charts, namespaces and images.';
  static override examples = ['<%= config.bin %> addons list', '<%= config.bin %> addons list --json'];
  static override flags = { ...inventoryFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(AddonsList);
    const { listAddons } = await import('../../workflows/addons/list.js');
    const { addonListText } = await import('../../cli/text/addons-text.js');
    const addons = await listAddons(flags.inventory);
    this.print(addonListText(addons, flags.verbose));
    return { addons };
  }
}
