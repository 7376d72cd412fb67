import { inventoryFlags } from '../../cli/flags.js';
import { LabHostCommand, labHostArgs } from '../../cli/lab-host-command.js';

export default class LabPause extends LabHostCommand {
  static override summary = "Make a lab's hosts hang.";
  static override description =
    `Every process is frozen and nothing answers for the host any more, as on a machine that hangs; its memory and its disks
stay as they are. kbs lab resume continues it.`;
  static override examples = [
    '<%= config.bin %> lab pause controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab pause all',
  ];
  static override strict = false;
  static override args = labHostArgs;
  static override flags = inventoryFlags;

  override run(): Promise<unknown> {
    return this.bringTo('paused', 'pause');
  }
}
