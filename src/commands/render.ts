import { directory } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { inventoryFlags } from '../cli/flags.js';

export default class Render extends BaseCommand {
  static override summary = 'Write every file, unit, manifest, route and object of every host into a folder.';
  static override description =
    `Offline: no host is contacted. The same inventory gives the same tree, fit for version control.
Files of an earlier rendering are removed from the folder; .kbs-render lists them. Other files there stay.
Hosts are assumed to be current machines with cgroup v2; what depends on the host can differ from what \`plan\` shows.`;
  static override examples = ['<%= config.bin %> render -i kbs.yaml rendered/'];
  static override args = { dir: directory({ description: 'the folder', required: true }) };
  static override flags = {
    ...inventoryFlags,
    'with-secrets': boolean({ description: 'real keys and certificates from the keyring instead of placeholders' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Render);
    const [{ loadCluster }, { render }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/render.js'),
    ]);
    const files = await render(await loadCluster(flags.inventory), args.dir, flags['with-secrets']);
    this.print(`${files.length} files in ${args.dir}`);
    return { directory: args.dir, files };
  }
}
