import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabPartition extends BaseCommand {
  static override summary = "Cut two sides of a lab's network off from each other.";
  static override description =
    `Nothing passes between the two any more, neither way: not their pods' packets either. Each still reaches all
other hosts, and you reach all. A side is hosts with commas between them, or segment=NAME for the hosts of a segment. Several
partitions may exist at once, over reboots too, until kbs lab heal.`;
  static override examples = [
    '<%= config.bin %> lab partition controller-00 controller-01,controller-02 -i inventories/ha.yaml',
    '<%= config.bin %> lab partition segment=office segment=rack',
  ];
  static override args = {
    a: string({ description: 'one side', required: true }),
    b: string({ description: 'the other side', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LabPartition);
    const { partition } = await import('../../workflows/lab.js');
    const { partitionsText } = await import('../../cli/text/labs-text.js');
    const cut = await partition(flags.inventory, args.a, args.b);
    this.print(partitionsText(cut.partitions).join('\n'));
    return cut;
  }
}
