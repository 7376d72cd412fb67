import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';

export default class Ssh extends BaseCommand {
  static override summary = 'Open a shell on a host, with the key, user and known hosts of the inventory.';
  static override examples = ['<%= config.bin %> ssh controller-00', '<%= config.bin %> ssh controller-00 uptime'];
  static override strict = false;
  static override enableJsonFlag = false;
  static override args = { host: string({ description: 'the host', required: true }) };
  static override flags = inventoryFlags;

  override async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(Ssh);
    const { shellOn } = await import('../workflows/shell.js');
    this.exitWith(await shellOn(flags.inventory, args.host, argv.slice(1).map(String)));
  }
}
