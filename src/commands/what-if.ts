import { string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class WhatIf extends BaseCommand {
  static override summary =
    'Assess a failure: what of etcd, API, routes, DNS, room for pods and forwarded ports would be left.';
  static override description =
    `Computed from the inventory; no host is contacted. Every host, segment and hypervisor fails in
turn, the worst first, unless --without names what fails. Where something breaks, kbs searches for the cheapest change
that fixes it. Exit status 10 means that the cluster would not survive, 0 that it would.`;
  static override examples = [
    '<%= config.bin %> what-if',
    '<%= config.bin %> what-if --without controller-00',
    '<%= config.bin %> what-if --without segment=rack --without lb-00',
    '<%= config.bin %> what-if --without hypervisor=pve-00 --json',
  ];
  static override flags = {
    ...inventoryFlags,
    without: string({
      description:
        'what fails, together with what other --without name; router=ADDRESS: one that the inventory does not list',
      helpValue: 'HOST|segment=S|hypervisor=H|router=ADDRESS',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(WhatIf);
    const { without = [] } = flags;
    const { whatIf } = await import('../workflows/what-if.js');
    const { scenariosText, scenarioText } = await import('../cli/text/what-if-text.js');
    const report = await whatIf(flags.inventory, without);
    this.print(without.length > 0 ? scenarioText(report) : scenariosText(report));
    if (!report.survives) this.exitWith(exits.pending);
    return report;
  }
}
