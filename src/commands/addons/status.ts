import { BaseCommand } from '../../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../../cli/flags.js';
import { exits } from '../../failure.js';

export default class AddonsStatus extends BaseCommand {
  static override summary = 'Whether the add-ons are what the inventory says, and other releases of Helm.';
  static override description = 'Exit status 8 where one is not. What differs is shown by: kbs plan';
  static override examples = ['<%= config.bin %> addons status', '<%= config.bin %> addons status --json'];
  static override flags = { ...inventoryFlags, ...hostFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(AddonsStatus);
    const { addonStatus } = await import('../../workflows/addons/status.js');
    const { addonStatusText } = await import('../../cli/text/addons-text.js');
    const addons = await addonStatus(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text) => this.say(text),
      limits: this.limits(flags),
    });
    this.print(addonStatusText(addons));
    if (addons.some(({ ok }) => !ok)) this.exitWith(exits.partial);
    return { addons };
  }
}
