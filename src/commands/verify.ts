import { string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { hostFlags, inventoryFlags, names, outputFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class Verify extends BaseCommand {
  static override summary = 'Prove with real packets that the cluster works.';
  static override description =
    `Pod to pod for every pair of segments with source addresses preserved, path MTU, Service addresses from pods and
from hosts, DNS by short and full name, names of the LAN, the API through its endpoint, forwarded ports with their targets, nodes
Ready, components healthy. On nodes with NVIDIA's GPUs a pod asks for one, and another pod for a second one.
Add-ons: metrics of every node, and a volume that a second pod reads.
Probes run on every node for a few seconds, in a namespace of their own that is deleted again.`;
  static override examples = [
    '<%= config.bin %> verify',
    '<%= config.bin %> verify -o junit > verify.xml',
    '<%= config.bin %> verify --pull registry.lan/shop:1.4 --limit worker-03',
  ];
  static override flags = {
    ...inventoryFlags,
    ...hostFlags,
    ...outputFlags(['text', 'junit']),
    pull: string({ description: 'also prove that nodes pull this image through their registries', helpValue: 'IMAGE' }),
    limit: names({
      description: 'the nodes that pull it, separated by commas; all without this',
      helpValue: 'HOST',
      dependsOn: ['pull'],
    }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(Verify);
    const { verifyInventory } = await import('../workflows/verify.js');
    const { checkResultsText, checkResultsJunit } = await import('../cli/text/check-results-text.js');
    const findings = await verifyInventory(flags.inventory, {
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text) => this.say(text),
      limits: this.limits(flags),
      ...(flags.pull === undefined
        ? {}
        : { pull: { image: flags.pull, ...(flags.limit ? { limit: flags.limit } : {}) } }),
    });
    this.print(flags.output === 'junit' ? checkResultsJunit(findings) : checkResultsText(findings, flags.verbose));
    if (findings.some(({ ok }) => !ok)) this.exitWith(exits.refused);
    return { findings };
  }
}
