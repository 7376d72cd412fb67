import { BaseCommand } from '../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class Status extends BaseCommand {
  static override summary = 'Hosts, components, certificates, routes and forwarded ports at a glance.';
  static override description =
    'Exit status 8 where something is not healthy, 5 where no control plane can be reached. -v adds what each machine is.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];
  static override flags = { ...inventoryFlags, ...hostFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(Status);
    const { statusOf } = await import('../workflows/status.js');
    const { statusText } = await import('../cli/text/status-text.js');
    const status = await statusOf(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      limits: this.limits(flags),
    });
    this.print(statusText(status, flags.verbose));
    if (!status.reached) this.exitWith(exits.unreachable);
    else if (!status.healthy) this.exitWith(exits.partial);
    return status;
  }
}
