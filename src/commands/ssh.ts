import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { commonFlags, inventoryFlags } from '../cli/flags.js';
import { separateRemoteCommand } from '../cli/separate-remote-command.js';

export default class Ssh extends BaseCommand {
  static override summary = 'Open a shell on a host, with the key, user and known hosts of the inventory.';
  static override description = `With a COMMAND, run that instead, and end with its exit status. Flags of
kbs stand before HOST or directly after it. The next word begins the command,
and all words from there on go to the host as they are. As with ssh, the
host's shell reads them as one line: quote twice what it must not take apart.
Write -- before a command with -h or --help, which kbs would answer itself.`;
  static override usage = '<%= command.id %> HOST [-i FILE] [-v] [--no-color] [COMMAND...]';
  static override examples = [
    '<%= config.bin %> ssh controller-00',
    '<%= config.bin %> ssh controller-00 -i kbs.yaml journalctl -u kubelet -n 50',
    "<%= config.bin %> ssh controller-00 'journalctl -u kubelet | grep -i error'",
    '<%= config.bin %> ssh controller-00 -- df -h',
  ];
  static override enableJsonFlag = false;
  // The type is the parent's, which has --json; here the host's own words are all that is printed.
  static override baseFlags = {
    verbose: commonFlags.verbose,
    'no-color': commonFlags['no-color'],
  } as typeof commonFlags;
  static override args = {
    host: string({ description: 'the host', required: true }),
    command: string({ description: 'what to run there; a shell where it is left out', multiple: true }),
  };
  static override flags = inventoryFlags;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Ssh);
    this.exitWith(await this.shell(flags.inventory, args.host, args.command ?? []));
  }

  protected override async init(): Promise<void> {
    this.argv = separateRemoteCommand(this.argv, { ...Ssh.baseFlags, ...Ssh.flags });
    await super.init();
  }

  protected async shell(inventory: string, host: string, command: readonly string[]): Promise<number> {
    const { sshTo } = await import('../workflows/ssh.js');
    return sshTo(inventory, host, command);
  }
}
