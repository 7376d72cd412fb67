import { BaseCommand } from '../cli/base-command.js';
import { hostFlags, inventoryFlags, runFlags, selectionFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class Preflight extends BaseCommand {
  static override summary = 'Check whether the hosts are fit for their roles in the inventory. Changes no host.';
  static override description =
    `Runs the checks of init, join and apply on every host at once, and names each that fails with the reason and what to
do. Exit status 4 where a check failed, 8 where the checks passed and some hosts could not be reached, 5 where none could.
The checks: docs/reference/preflight.md.`;
  static override examples = [
    '<%= config.bin %> preflight',
    '<%= config.bin %> preflight --limit worker-03,worker-04 -v',
    '<%= config.bin %> preflight --skip-check firewall,clock --json',
  ];
  static override flags = {
    ...inventoryFlags,
    limit: selectionFlags.limit,
    'skip-check': runFlags['skip-check'],
    ...hostFlags,
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(Preflight);
    const { preflightOf } = await import('../workflows/preflight.js');
    const { preflightText } = await import('../cli/text/preflight-text.js');
    const { colorsFor } = await import('../cli/text/color.js');
    const preflight = await preflightOf(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      ...(flags.limit?.length ? { limit: flags.limit } : {}),
      skippedChecks: new Set(flags['skip-check'] ?? []),
      limits: this.limits(flags),
    });
    this.print(preflightText(preflight, { colors: colorsFor(process.stdout), verbose: flags.verbose }));
    const unreachable = preflight.hosts.filter(({ problem }) => problem !== undefined).length;
    if (preflight.checks.some(({ ok }) => !ok)) this.exitWith(exits.preflight);
    else if (unreachable === preflight.hosts.length) this.exitWith(exits.unreachable);
    else if (unreachable > 0) this.exitWith(exits.partial);
    return preflight;
  }
}
