import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { operationFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';

export default class Remove extends RunCommand {
  static override summary = 'Take hosts out of the cluster, and leave them as they were found.';
  static override description =
    `Shows the plan and asks first. Pods are evicted within their budgets, and the host is removed from etcd and the API
before it is reset; load balancers, routes and zones of the other hosts follow. The host is taken out of the inventory,
whose comments stay. --timeout is how long the pods of one host may take to leave it; five minutes when absent.`;
  static override examples = [
    '<%= config.bin %> remove worker-rack-00 --dry-run',
    '<%= config.bin %> remove worker-rack-00 worker-rack-01',
    '<%= config.bin %> remove --dead controller-00 && <%= config.bin %> init',
  ];
  static override strict = false;
  static override args = { host: string({ description: 'the hosts', required: true }) };
  static override flags = {
    ...operationFlags,
    dead: boolean({ description: 'the host is gone for good: nothing is asked of it, and it stays in the inventory' }),
    forget: boolean({ description: 'take a dead host out of the inventory too', dependsOn: ['dead'] }),
    force: boolean({ description: 'delete pods past their budgets, and remove what other hosts depend on' }),
    'skip-check': runFlags['skip-check'],
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Remove);
    const [{ loadCluster }, { remove }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/remove.js'),
    ]);
    const { dead, force, forget } = flags;
    const names = [...new Set(argv.map(String))];
    const workflow = remove({ names, dead, force, forget, say: (text) => this.say(text) });
    const { plan, summary } = await this.runWorkflow(workflow, await loadCluster(flags.inventory), flags);
    return flags['dry-run'] ? plan : { ...summary, plan };
  }
}
