import { string } from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.js';

export default class BundleVerify extends BaseCommand {
  static override summary = 'Check every member of a bundle against its sha256.';
  static override examples = ['<%= config.bin %> bundle verify', '<%= config.bin %> bundle verify ./bundle.tar'];
  static override args = { bundle: string({ description: 'a folder or a .tar; the one in the cache when absent' }) };

  override async run(): Promise<unknown> {
    const { args } = await this.parse(BundleVerify);
    const { verify } = await import('../../workflows/bundle.js');
    const { catalogue, arches } = await verify(args.bundle);
    this.print(`${catalogue.members.length} members are as the catalogue says, for ${arches.join(' and ')}`);
    return catalogue;
  }
}
