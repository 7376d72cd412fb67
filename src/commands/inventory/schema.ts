import { BaseCommand } from '../../cli/base-command.js';

export default class InventorySchema extends BaseCommand {
  static override summary = "Print the inventory's JSON Schema, for editors.";
  static override examples = ['<%= config.bin %> inventory schema > kbs.schema.json'];
  static override enableJsonFlag = false;

  override async run(): Promise<void> {
    await this.parse(InventorySchema);
    const { inventoryJsonSchema } = await import('../../inventory/json-schema.js');
    this.print(JSON.stringify(inventoryJsonSchema(), undefined, 2));
  }
}
