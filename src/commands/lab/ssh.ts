import Ssh from '../ssh.js';

export default class LabSsh extends Ssh {
  static override summary = "Open a shell on a lab's host.";
  static override examples = ['<%= config.bin %> lab ssh controller-00 -i inventories/two-segments.yaml'];
}
