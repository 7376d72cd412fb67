import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabHeal extends BaseCommand {
  static override summary = "Heal partitions of a lab's network.";
  static override description =
    `Between two sides, between one side and all other hosts, or, without sides, all of them.
A side is hosts with commas between them, or segment=NAME.`;
  static override examples = [
    '<%= config.bin %> lab heal -i inventories/ha.yaml',
    '<%= config.bin %> lab heal controller-00 controller-01',
  ];
  static override args = {
    a: string({ description: 'one side' }),
    b: string({ description: 'the other side; all other hosts where it is left out' }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LabHeal);
    const { heal } = await import('../../workflows/lab.js');
    const { partitionsText } = await import('../../cli/text/labs-text.js');
    const left = await heal(flags.inventory, args.a, args.b);
    this.print(left.partitions.length === 0 ? 'nothing is cut' : partitionsText(left.partitions).join('\n'));
    return left;
  }
}
