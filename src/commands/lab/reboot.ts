import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabReboot extends BaseCommand {
  static override summary = "Reboot a lab's hosts.";
  static override description =
    `Waits until they answer SSH again. Routes, firewall rules and kernel settings that nothing on a disk restores are gone
afterwards, as on a real machine.`;
  static override examples = [
    '<%= config.bin %> lab reboot controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab reboot all --power-cut',
  ];
  static override strict = false;
  static override args = {
    hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
  };
  static override flags = {
    ...inventoryFlags,
    'power-cut': boolean({ description: 'cut the power instead of asking the system to reboot' }),
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(LabReboot);
    const { setHostState } = await import('../../workflows/lab.js');
    const done = await setHostState(flags.inventory, flags['power-cut'] ? 'power-cut' : 'reboot', argv.map(String));
    this.print(`rebooted: ${done.hosts.join(', ')}`);
    return done;
  }
}
