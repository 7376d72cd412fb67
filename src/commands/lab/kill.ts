import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabKill extends BaseCommand {
  static override summary = "Cut the power of a lab's hosts.";
  static override description =
    `All processes die at once and the network link goes down, as at a power failure; what was on its disks stays. kbs lab
start switches it on again.`;
  static override examples = [
    '<%= config.bin %> lab kill controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab kill segment=rack',
  ];
  static override strict = false;
  static override args = {
    hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(LabKill);
    const { setHostState } = await import('../../workflows/lab.js');
    const done = await setHostState(flags.inventory, 'kill', argv.map(String));
    this.print(`off: ${done.hosts.join(', ')}`);
    return done;
  }
}
