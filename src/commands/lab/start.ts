import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabStart extends BaseCommand {
  static override summary = "Switch a lab's hosts on that are off.";
  static override description = 'Waits until they answer SSH. Hosts that run are left alone.';
  static override examples = [
    '<%= config.bin %> lab start controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab start all',
  ];
  static override strict = false;
  static override args = {
    hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(LabStart);
    const { setHostState } = await import('../../workflows/lab.js');
    const done = await setHostState(flags.inventory, 'start', argv.map(String));
    this.print(`running: ${done.hosts.join(', ')}`);
    return done;
  }
}
