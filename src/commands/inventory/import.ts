import { string as argument } from '@oclif/core/args';
import { boolean, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { fileFlags, names } from '../../cli/flags.js';

export default class InventoryImport extends BaseCommand {
  static override summary = 'Make an inventory from a file of kubespray, k0sctl or RKE.';
  static override description =
    `FILE is an Ansible inventory as kubespray has it (INI or YAML, with group_vars and host_vars beside it), a k0sctl.yaml, or a
cluster.yml of RKE 1. The inventory says in comments what has no counterpart in kbs and what is left to decide; the same is
on stderr. It describes a new cluster on these hosts: a cluster that runs on them is not taken over. No host is contacted.`;
  static override examples = [
    '<%= config.bin %> inventory import inventory/prod/hosts.yaml -o kbs.yaml',
    '<%= config.bin %> inventory import k0sctl.yaml',
    '<%= config.bin %> inventory import cluster.yml --from rke --segment 10.0.0.0/22 -o kbs.yaml',
  ];
  static override args = { file: argument({ description: 'the file of the other tool', required: true }) };
  static override flags = {
    from: option({
      description: 'the tool that it is of; recognized by what is in it when absent',
      options: ['kubespray', 'k0sctl', 'rke'] as const,
    })(),
    segment: names({
      description: 'a network that hosts are in, as a CIDR; a /24 for each that is not named',
      helpValue: 'CIDR',
    }),
    name: string({ description: 'the name of the cluster', helpValue: 'NAME' }),
    output: { ...fileFlags.output, description: 'write the inventory to this file; to stdout when absent' },
    force: boolean({ description: 'replace the file', dependsOn: ['output'] }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(InventoryImport);
    const [{ importFile }, { writeInventory }, { importText }, { defined }] = await Promise.all([
      import('../../workflows/import-inventory.js'),
      import('../../workflows/write-inventory.js'),
      import('../../cli/text/import-text.js'),
      import('../../defined.js'),
    ]);
    const imported = await importFile({
      file: args.file,
      segments: flags.segment ?? [],
      output: flags.output ?? 'kbs.yaml',
      ...defined({ tool: flags.from, name: flags.name }),
    });
    const { tool, text, taken, remarks, mistakes } = imported;
    if (flags.output === undefined) this.print(text);
    else await writeInventory(flags.output, text, flags.force);
    this.say(importText(imported, flags.output));
    const of = (kind: 'left' | 'decide') => remarks.filter((remark) => remark.kind === kind);
    return {
      tool,
      ...(flags.output === undefined ? { inventory: text } : { file: flags.output }),
      taken,
      leftOut: of('left').map(({ path, text: why }) => ({ path: path.join('.'), text: why })),
      toDecide: of('decide').map(({ path, text: what }) => ({ path: path.join('.'), text: what })),
      valid: mistakes.length === 0,
      mistakes: mistakes.map(({ message }) => message),
    };
  }
}
