import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';

export default class InventoryInit extends BaseCommand {
  static override summary = 'Write a commented inventory to start from.';
  static override examples = ['<%= config.bin %> inventory init', '<%= config.bin %> inventory init lab.yaml'];
  static override args = { file: string({ description: 'the new file', default: 'kbs.yaml' }) };

  override async run(): Promise<unknown> {
    const { args } = await this.parse(InventoryInit);
    const { writeExample } = await import('../../workflows/example.js');
    await writeExample(args.file);
    this.print(`${args.file} is there: edit it, then check it with: kbs inventory validate -i ${args.file}`);
    return { file: args.file };
  }
}
