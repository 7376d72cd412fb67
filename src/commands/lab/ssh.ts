import Ssh from '../ssh.js';

export default class LabSsh extends Ssh {
  static override summary = "Open a shell on a lab's host.";
  static override description = `Refused where no lab of the inventory is up: the real machine is never
logged in to. All else is as with kbs ssh: flags of kbs stand before HOST or
directly after it, and the words from COMMAND on go to the host as they are.`;
  static override examples = [
    '<%= config.bin %> lab ssh controller-00 -i inventories/two-segments.yaml',
    '<%= config.bin %> lab ssh controller-00 -i inventories/two-segments.yaml journalctl -u kubelet -n 50',
  ];

  protected override async shell(inventory: string, host: string, command: readonly string[]): Promise<number> {
    const { sshToLabHost } = await import('../../workflows/lab-ssh.js');
    return sshToLabHost(inventory, host, command);
  }
}
