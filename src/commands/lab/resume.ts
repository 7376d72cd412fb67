import { inventoryFlags } from '../../cli/flags.js';
import { LabHostCommand, labHostArgs } from '../../cli/lab-host-command.js';

export default class LabResume extends LabHostCommand {
  static override summary = "Resume a lab's hosts that were paused.";
  static override description = 'Hosts that were not paused are left alone.';
  static override examples = [
    '<%= config.bin %> lab resume controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab resume all',
  ];
  static override strict = false;
  static override args = labHostArgs;
  static override flags = inventoryFlags;

  override run(): Promise<unknown> {
    return this.bringTo('running', 'resume');
  }
}
