import { boolean, file, option, string } from '@oclif/core/flags';
import { distributions } from '../../artifacts/packages/distributions.js';
import { BaseCommand } from '../../cli/base-command.js';
import { bundleFlags } from '../../cli/flags.js';
import { mirrorsOf } from '../../cli/mirrors.js';

export default class BundleCreate extends BaseCommand {
  static override summary = 'Download what the projects publish for a cluster, into a bundle. Nothing is compiled.';
  static override description =
    `Every file is compared with the sha256 that kbs knows, else with the checksum that its project publishes beside it;
images by their digests. What arrived is kept in the cache, and a download that broke off goes on where it stopped.
HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are obeyed.`;
  static override examples = [
    '<%= config.bin %> bundle create',
    '<%= config.bin %> bundle create --addons',
    '<%= config.bin %> bundle create --dry-run',
    '<%= config.bin %> bundle create --arch amd64,arm64 --packages debian-13,ubuntu-24.04 --into kbs-bundle.tar',
    '<%= config.bin %> bundle create --mirror dl.k8s.io=https://mirror.lan/k8s --mirror registry.k8s.io=https://harbor.lan/k8s',
  ];
  static override flags = {
    ...bundleFlags,
    mirror: string({
      description: 'what is asked instead of a host of the internet',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'HOST=URL',
    }),
    packages: option({
      description: 'also haproxy and keepalived of these distributions, with all they depend on; needs apt-get here',
      options: distributions,
      multiple: true,
      delimiter: ',',
      multipleNonGreedy: true,
      helpValue: 'DISTRIBUTION',
    })(),
    pins: file({ description: 'a JSON file of address and sha256, in place of the digests that kbs knows' }),
    'dry-run': boolean({ description: 'list every address and what its content is compared with; download nothing' }),
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(BundleCreate);
    const { create, sources } = await import('../../workflows/bundle.js');
    const { publishedHosts } = await import('../../artifacts/upstream/sources.js');
    const { arch: architectures, mirror = [], 'dry-run': dryRun, ...options } = flags;
    const mirrors = mirrorsOf(mirror, publishedHosts(options.version));
    if (dryRun) {
      const downloads = await sources({ ...options, architectures });
      for (const { arch, name, version, from, sha256, checkedBy } of downloads) {
        this.print(
          `${arch} ${name.padEnd(24)} ${version.padEnd(8)} ${from}\n      ${sha256 ?? `checked by ${checkedBy}`}`,
        );
      }
      return downloads;
    }
    const made = await create({ ...options, architectures, mirrors, signal: this.signal }, (text) => this.say(text));
    this.print(`bundle of Kubernetes ${made.version} for ${made.architectures.join(' and ')} in ${made.path}`);
    return made;
  }
}
