import { boolean, integer, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class LabUp extends BaseCommand {
  static override summary = "Build the inventory's hosts, segments and routers on this machine.";
  static override description =
    `Each host is a systemd machine in a network namespace of its own, with sshd; or, with \`lab: { platform: vm }\` in the
inventory or --vm, a QEMU guest with a kernel of its own. The same inventory then works with init and join. Needs root, Linux
and a few packages; --install fetches the packages. --hollow gives a cluster that is up Nodes without a machine.`;
  static override examples = [
    '<%= config.bin %> lab up -i inventories/two-segments.yaml --install',
    '<%= config.bin %> lab up -i inventories/two-segments.yaml --vm worker-rack-00',
    '<%= config.bin %> lab up -i inventories/ha.yaml --hollow 500',
  ];
  static override flags = {
    ...inventoryFlags,
    vm: string({
      helpValue: 'HOST',
      description: 'make this host a virtual machine, whatever the inventory says; may be repeated',
      multiple: true,
      default: [],
    }),
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
    const lab = await up(flags.inventory, { install: flags.install, guests: flags.vm }, (text) => this.say(text));
    if (flags.hollow !== undefined) {
      const { setHollowNodes } = await import('../../workflows/hollow.js');
      await setHollowNodes(flags.inventory, flags.hollow, (text) => this.say(text));
    }
    this.print(lab.hosts.map(({ name, address }) => `${name}  ${address}`).join('\n'));
    return lab;
  }
}
