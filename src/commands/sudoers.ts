import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';

export default class Sudoers extends BaseCommand {
  static override summary = 'Print the smallest sudo rule under which kbs works, for /etc/sudoers.d.';
  static override description =
    `Offline: no host is contacted. The rule allows one command line, the same for every role: a shell that reads a script
from stdin and runs it. That is root in effect: its user can do whatever root can. A rule of single commands would be no
less, because kbs writes files and units of root. It keeps sudo closed for everything else.
Without NOPASSWD: in the rule, sudo asks for the password, and kbs asks for it on the terminal.`;
  static override examples = [
    '<%= config.bin %> sudoers > kbs && visudo -cf kbs',
    '<%= config.bin %> sudoers worker-00 worker-01',
  ];
  static override args = {
    hosts: string({ description: 'the hosts to print it for; all when left out', multiple: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Sudoers);
    const [{ sudoRules }, { sudoersText }] = await Promise.all([
      import('../workflows/sudoers.js'),
      import('../cli/text/sudoers-text.js'),
    ]);
    const rules = await sudoRules(flags.inventory, args.hosts ?? []);
    this.print(sudoersText(rules));
    return rules;
  }
}
