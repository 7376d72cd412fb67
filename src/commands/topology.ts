import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags, outputFlags } from '../cli/flags.js';

const formats = ['mermaid', 'dot', 'svg', 'html'] as const;

export default class Topology extends BaseCommand {
  static override summary = 'Draw the network of an inventory: segments, routers, hosts, routes.';
  static override description = `Computed from the inventory; no host is contacted. GitHub and GitLab draw Mermaid in
Markdown, Graphviz draws DOT; SVG and HTML need no other file and follow light and dark.`;
  static override examples = [
    '<%= config.bin %> topology',
    '<%= config.bin %> topology network.svg',
    '<%= config.bin %> topology -o html network.html',
    '<%= config.bin %> topology -o dot | dot -Tpdf > network.pdf',
  ];
  static override args = {
    file: string({ description: 'where to write it; its extension gives the format. Default: stdout, as Mermaid' }),
  };
  static override flags = { ...inventoryFlags, ...outputFlags(formats) };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Topology);
    const { formatOf, topology } = await import('../workflows/topology.js');
    const { diagram, text } = await topology(flags.inventory, formatOf(args.file, flags.output), args.file);
    this.print(args.file === undefined ? text : args.file);
    return diagram;
  }
}
