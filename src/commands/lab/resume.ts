import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabResume extends BaseCommand {
  static override summary = "Resume a lab's hosts that were paused.";
  static override description = 'Hosts that were not paused are left alone.';
  static override examples = [
    '<%= config.bin %> lab resume controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab resume all',
  ];
  static override strict = false;
  static override args = {
    hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(LabResume);
    const { setHostState } = await import('../../workflows/lab.js');
    const done = await setHostState(flags.inventory, 'resume', argv.map(String));
    this.print(`running: ${done.hosts.join(', ')}`);
    return done;
  }
}
