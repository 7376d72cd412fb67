import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabPause extends BaseCommand {
  static override summary = "Make a lab's hosts hang.";
  static override description =
    `Every process is frozen and nothing answers for the host any more, as on a machine that hangs; its memory and its disks
stay as they are. kbs lab resume continues it.`;
  static override examples = [
    '<%= config.bin %> lab pause controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab pause all',
  ];
  static override strict = false;
  static override args = {
    hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(LabPause);
    const { setHostState } = await import('../../workflows/lab.js');
    const done = await setHostState(flags.inventory, 'pause', argv.map(String));
    this.print(`paused: ${done.hosts.join(', ')}`);
    return done;
  }
}
