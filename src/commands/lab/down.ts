import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabDown extends BaseCommand {
  static override summary = 'Remove a lab: no process, mount, namespace or route of it stays.';
  static override examples = ['<%= config.bin %> lab down -i inventories/two-segments.yaml'];
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(LabDown);
    const { down } = await import('../../workflows/lab.js');
    const cluster = await down(flags.inventory);
    this.print(`the lab of ${cluster} is gone`);
    return { cluster };
  }
}
