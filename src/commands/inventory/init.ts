import { dirname, join } from 'node:path';
import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';

export default class InventoryInit extends BaseCommand {
  static override summary = 'Write a commented inventory to start from.';
  static override examples = ['<%= config.bin %> inventory init', '<%= config.bin %> inventory init lab.yaml'];
  static override args = { file: string({ description: 'the new file', default: 'kbs.yaml' }) };

  override async run(): Promise<unknown> {
    const { args } = await this.parse(InventoryInit);
    const { writeExample } = await import('../../workflows/example-inventory.js');
    await writeExample(args.file);
    const schema = join(dirname(args.file), 'kbs.schema.json');
    this.print(`${args.file} is written: edit it, then check it with: kbs inventory validate -i ${args.file}
for completion and checks in an editor: kbs inventory schema > ${schema}`);
    return { file: args.file };
  }
}
