import { inventoryFlags } from '../../cli/flags.js';
import { LabHostCommand, labHostArgs } from '../../cli/lab-host-command.js';

export default class LabKill extends LabHostCommand {
  static override summary = "Cut the power of a lab's hosts.";
  static override description =
    `All processes die at once and the network link goes down, as at a power failure; what was on its disks stays. kbs lab
start switches it on again.`;
  static override examples = [
    '<%= config.bin %> lab kill controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab kill segment=rack',
  ];
  static override strict = false;
  static override args = labHostArgs;
  static override flags = inventoryFlags;

  override run(): Promise<unknown> {
    return this.bringTo('off', 'kill');
  }
}
