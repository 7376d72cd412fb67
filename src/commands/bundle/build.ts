import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { bundleFlags } from '../../cli/flags.js';

export default class BundleBuild extends BaseCommand {
  static override summary = 'Compile everything that a cluster needs from Go modules, into a bundle.';
  static override description =
    `About ten minutes for each architecture the first time; what is built is kept in the cache, and an interrupted build
goes on where it stopped. Needs Go, a C compiler and a few packages; --install fetches the packages.`;
  static override examples = [
    '<%= config.bin %> bundle build',
    '<%= config.bin %> bundle build --version 1.36.3 --into ./bundle --install',
    '<%= config.bin %> bundle build --arch amd64,arm64',
    '<%= config.bin %> bundle build --addons',
  ];
  static override flags = {
    ...bundleFlags,
    install: boolean({ description: 'install the Debian packages that building needs' }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BundleBuild);
    const { build } = await import('../../workflows/bundle.js');
    const { arch, ...options } = flags;
    const built = await build({ ...options, architectures: arch }, (text) => this.say(text));
    this.print(`bundle of Kubernetes ${built.version} for ${built.architectures.join(' and ')} in ${built.path}`);
    return built;
  }
}
