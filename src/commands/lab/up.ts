import { boolean, integer } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabUp extends BaseCommand {
  static override summary = "Build the inventory's hosts, segments and routers on this machine.";
  static override description =
    `Each host is a systemd machine in a network namespace of its own, with sshd. The same inventory then works with
init and join. Needs root, Linux and a few packages; --install fetches the packages.`;
  static override examples = [
    '<%= config.bin %> lab up -i inventories/two-segments.yaml --install',
    '<%= config.bin %> lab up -i inventories/ha.yaml --hollow 500',
  ];
  static override flags = {
    ...inventoryFlags,
    install: boolean({ description: 'install the Debian packages that a lab needs' }),
    hollow: integer({
      description: 'give the cluster this many Nodes without a machine, once it is up; 0 takes them away',
      min: 0,
      max: 5000,
    }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(LabUp);
    const { up } = await import('../../workflows/lab.js');
    const lab = await up(flags.inventory, flags.install, (text) => this.say(text));
    if (flags.hollow !== undefined) {
      const { setHollowNodes } = await import('../../workflows/hollow.js');
      await setHollowNodes(flags.inventory, flags.hollow, (text) => this.say(text));
    }
    this.print(lab.hosts.map(({ name, address }) => `${name}  ${address}`).join('\n'));
    return lab;
  }
}
