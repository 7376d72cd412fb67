import { string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class WhatIf extends BaseCommand {
  static override summary = 'Foresee what a loss would do: etcd, API, DNS, routes, room for pods.';
  static override description =
    `Computed from the inventory; no host is contacted. Without --lose every host, segment and
hypervisor is lost in turn, the worst first. For each failure the cheapest change that mends it is found by trying.
Exit status 10 means that the cluster would not outlive what was asked, 0 that it would.`;
  static override examples = [
    '<%= config.bin %> what-if',
    '<%= config.bin %> what-if --lose controller-00',
    '<%= config.bin %> what-if --lose segment=rack --lose lb-00',
    '<%= config.bin %> what-if --lose hypervisor=pve-00 --json',
  ];
  static override flags = {
    ...inventoryFlags,
    lose: string({
      description: 'lost, together with what other --lose name; router=ADDRESS is one that the inventory does not list',
      helpValue: 'HOST|segment=S|hypervisor=H|router=ADDRESS',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(WhatIf);
    const { lose = [] } = flags;
    const { whatIf } = await import('../workflows/what-if.js');
    const { scenariosText, scenarioText } = await import('../cli/text/what-if-text.js');
    const foresight = await whatIf(flags.inventory, lose);
    this.print(lose.length > 0 ? scenarioText(foresight) : scenariosText(foresight));
    if (!foresight.outlives) this.exitWith(exits.pending);
    return foresight;
  }
}
