import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';

export default class BundleList extends BaseCommand {
  static override summary =
    'List what a bundle holds, at which version, and where it is from. --json adds the sha256 of every file.';
  static override examples = ['<%= config.bin %> bundle list', '<%= config.bin %> bundle list ./bundle.tar --json'];
  static override args = { bundle: string({ description: 'a folder or a .tar; the one in the cache when absent' }) };

  override async run(): Promise<unknown> {
    const { args } = await this.parse(BundleList);
    const { list } = await import('../../workflows/bundle.js');
    const { catalogue, rows } = await list(args.bundle);
    this.print(rows.join('\n'));
    return catalogue;
  }
}
