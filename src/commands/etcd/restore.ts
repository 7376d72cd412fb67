import { file } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { consentFlags, hostFlags, inventoryFlags, runFlags } from '../../cli/flags.js';
import { exits } from '../../failure.js';

export default class EtcdRestore extends BaseCommand {
  static override summary = 'Begin anew from a snapshot, after all members are lost, or to go back.';
  static override description =
    `API servers and etcd stop on every control plane, their data are put aside and kept, and then it is init, whose first
member begins with the snapshot. Control planes may be new machines. The keyring must be that of the cluster that was.`;
  static override examples = [
    '<%= config.bin %> etcd restore .kbs/hybrid/snapshots/etcd-2026-11-21T09-45-38Z.db',
    '<%= config.bin %> etcd restore monday.db --dry-run',
    '<%= config.bin %> etcd restore monday.db --force',
  ];
  static override args = { file: file({ description: 'the snapshot', required: true, exists: true }) };
  static override flags = {
    ...inventoryFlags,
    ...hostFlags,
    ...consentFlags,
    'dry-run': runFlags['dry-run'],
    force: boolean({ description: 'also where etcd is alive, and what it holds will be lost' }),
    events: runFlags.events,
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(EtcdRestore);
    const [{ loadCluster }, workflow, { megabytes }] = await Promise.all([
      import('../../workflows/load-cluster.js'),
      import('../../workflows/etcd/restore.js'),
      import('../../cli/text/etcd-text.js'),
    ]);
    const opened = await loadCluster(flags.inventory);
    const wishes = {
      file: args.file,
      force: flags.force,
      now: new Date(),
      acceptNewHostKeys: flags['accept-new-host-keys'],
      say: (text: string) => this.say(text),
      limits: { signal: this.signal, ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }) },
    };
    const { revision, size, goesOn } = await workflow.lookAtRestore(opened, wishes);
    const lost =
      revision === undefined ? 'no etcd answers now' : `what etcd holds now, at revision ${revision}, is lost`;
    const ends = goesOn ? 'an interrupted restore of it goes on' : lost;
    const what = `etcd of cluster ${opened.cluster.name} begins anew from ${args.file} (${megabytes(size)}); ${ends}.`;
    if (flags['dry-run']) {
      this.print(what);
      this.exitWith(exits.pending);
      return { size, revision };
    }
    await this.confirm(what, flags.yes);
    const events = await this.openEvents({
      events: flags.events,
      verbose: flags.verbose,
      journal: `${opened.state}/journal`,
    });
    const restored = await workflow.restore(opened, { ...wishes, emit: events.emit, signal: this.signal });
    await events.close();
    if (restored.summary.skipped.length > 0) this.exitWith(exits.partial);
    return restored;
  }
}
