import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class AddonsValues extends BaseCommand {
  static override summary = 'The values that helm is given for an add-on of the inventory, as YAML.';
  static override description = "kbs's own values with those of the inventory over them. No host is contacted.";
  static override examples = ['<%= config.bin %> addons values storage'];
  static override args = { name: string({ description: 'the add-on', required: true }) };
  static override flags = { ...inventoryFlags };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(AddonsValues);
    const { valuesOf } = await import('../../workflows/addons/list.js');
    const { valuesText } = await import('../../cli/text/addons-text.js');
    const values = await valuesOf(flags.inventory, args.name);
    this.print(valuesText(values));
    return { values };
  }
}
