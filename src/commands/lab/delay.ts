import { integer, string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabDelay extends BaseCommand {
  static override summary = 'Make a segment of a lab slow, by so many milliseconds; 0 makes it quick again.';
  static override description =
    `Every packet that the segment delivers to a host comes that much later, so a round trip takes twice that longer.
Needs a kernel with the network emulator (sch_netem), and is refused without one.`;
  static override examples = [
    '<%= config.bin %> lab delay rack 20 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab delay rack 0',
  ];
  static override args = {
    segment: string({ description: 'the segment', required: true }),
    ms: integer({ description: 'milliseconds, 0 to 60000', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LabDelay);
    const { delay } = await import('../../workflows/lab.js');
    const cluster = await delay(flags.inventory, args.segment, args.ms);
    this.print(args.ms === 0 ? `${args.segment} is quick again` : `${args.segment} is ${args.ms} ms late`);
    return { cluster, segment: args.segment, ms: args.ms };
  }
}
