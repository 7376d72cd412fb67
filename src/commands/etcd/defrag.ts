import { operationFlags } from '../../cli/flags.js';
import { RunCommand } from '../../cli/run-command.js';
import type { Defragmented } from '../../workflows/defrag.js';

export default class EtcdDefrag extends RunCommand {
  static override summary = 'Give back the disk space that deleted keys held, one member after the other.';
  static override description =
    `A member answers no request meanwhile: followers go first, the leader last, and each only while all are healthy. Where
etcd is full (alarm NOSPACE), its history is compacted first, and the alarm is disarmed at the end.`;
  static override examples = ['<%= config.bin %> etcd defrag', '<%= config.bin %> etcd defrag --dry-run'];
  static override flags = operationFlags;

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(EtcdDefrag);
    const [{ loadCluster }, { defrag }, { megabytes }] = await Promise.all([
      import('../../workflows/load-cluster.js'),
      import('../../workflows/defrag.js'),
      import('../../cli/text/etcd-text.js'),
    ]);
    let members: readonly Defragmented[] = [];
    const workflow = defrag((done) => {
      members = done;
    });
    const { plan } = await this.runWorkflow(workflow, await loadCluster(flags.inventory), flags);
    for (const { member, before, after } of members) {
      this.print(`${member}: ${megabytes(before)} → ${megabytes(after)}`);
    }
    return flags['dry-run'] ? plan : { members, plan };
  }
}
