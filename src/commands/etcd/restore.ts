import { file } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { operationFlags, runFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';

export default class EtcdRestore extends RunCommand {
  static override summary = 'Start etcd from a snapshot, after all members are lost, or to go back.';
  static override description =
    `API servers and etcd stop on every control plane, their data are kept in a folder beside, and then it is init, whose
first member starts from the snapshot. Control planes may be new machines. The keyring must be that of the cluster.
Refused where etcd has its quorum, and where it runs and does not answer. Interrupted, the same command goes on.`;
  static override examples = [
    '<%= config.bin %> etcd restore .kbs/hybrid/snapshots/etcd-2026-11-21T09-45-38Z.db',
    '<%= config.bin %> etcd restore monday.db --dry-run',
    '<%= config.bin %> etcd restore monday.db --force',
  ];
  static override args = { file: file({ description: 'the snapshot', required: true, exists: true }) };
  static override flags = {
    ...operationFlags,
    'skip-check': runFlags['skip-check'],
    force: boolean({ description: 'also where etcd is or may be alive; what it holds is lost' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(EtcdRestore);
    const [{ loadCluster }, { restore }] = await Promise.all([
      import('../../workflows/load-cluster.js'),
      import('../../workflows/restore.js'),
    ]);
    const workflow = restore({ file: args.file, force: flags.force, now: new Date() });
    const { plan, summary } = await this.runWorkflow(workflow, await loadCluster(flags.inventory), flags);
    return flags['dry-run'] ? plan : { ...summary, plan };
  }
}
