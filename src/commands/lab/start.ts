import { inventoryFlags } from '../../cli/flags.js';
import { LabHostCommand, labHostArgs } from '../../cli/lab-host-command.js';

export default class LabStart extends LabHostCommand {
  static override summary = "Switch a lab's hosts on that are off.";
  static override description = 'Waits until they answer SSH. Hosts that run are left alone.';
  static override examples = [
    '<%= config.bin %> lab start controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab start all',
  ];
  static override strict = false;
  static override args = labHostArgs;
  static override flags = inventoryFlags;

  override run(): Promise<unknown> {
    return this.bringTo('running', 'start');
  }
}
