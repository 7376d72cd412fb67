import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { consentFlags, hostFlags, inventoryFlags, runFlags } from '../cli/flags.js';
import { exits } from '../failure.js';

export default class Remove extends BaseCommand {
  static override summary = 'Take hosts out of the cluster, and leave them as they were found.';
  static override description =
    `Pods are evicted, budgets kept, and etcd and the API forget the host before it is reset; load balancers, routes
and zones of the others follow. The host is taken out of the inventory, whose comments stay.
--timeout is how long the pods of one host may take to leave it; five minutes when absent.`;
  static override examples = [
    '<%= config.bin %> remove worker-rack-00 --dry-run',
    '<%= config.bin %> remove worker-rack-00 worker-rack-01',
    '<%= config.bin %> remove --dead controller-00 && <%= config.bin %> init',
  ];
  static override strict = false;
  static override args = { host: string({ description: 'the hosts', required: true }) };
  static override flags = {
    ...inventoryFlags,
    ...hostFlags,
    ...consentFlags,
    dead: boolean({ description: 'the host is gone for good: nothing is asked of it, and it stays in the inventory' }),
    forget: boolean({ description: 'take a dead host out of the inventory too', dependsOn: ['dead'] }),
    force: boolean({ description: 'delete pods past their budgets, and remove what others count on' }),
    'dry-run': runFlags['dry-run'],
    events: runFlags.events,
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Remove);
    const [{ loadCluster }, workflow] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/remove/remove.js'),
    ]);
    const opened = await loadCluster(flags.inventory);
    const names = [...new Set(argv.map(String))];
    const { 'dry-run': dry, events, verbose, timeout } = flags;
    if (!dry) await this.confirm(questionOf(names, flags.dead, opened.cluster.name), flags.yes);
    const sinks = await this.openEvents({ events, verbose, ...(dry ? {} : { journal: `${opened.state}/journal` }) });
    const removal = {
      names,
      dead: flags.dead,
      force: flags.force,
      forget: flags.forget,
      acceptNewHostKeys: flags['accept-new-host-keys'],
      emit: sinks.emit,
      signal: this.signal,
      say: (text: string) => this.say(text),
      ...(timeout === undefined ? {} : { timeout }),
    };
    if (!dry) {
      const { plan, summary } = await workflow.remove(opened, removal);
      await sinks.close();
      if (summary.skipped.length > 0) this.exitWith(exits.partial);
      return { ...summary, plan };
    }
    const plan = await workflow.foreseeRemoval(opened, removal);
    await sinks.close();
    const [{ planText }, { colorsFor }] = await Promise.all([
      import('../cli/text/diff-text.js'),
      import('../cli/text/color.js'),
    ]);
    this.print(planText(plan, { colors: colorsFor(process.stdout), verbose }));
    this.exitWith(exits.pending);
    return plan;
  }
}

const questionOf = (names: readonly string[], dead: boolean, cluster: string): string =>
  dead
    ? `Cluster ${cluster} will forget ${names.join(', ')} for good.`
    : `${names.join(', ')} will leave cluster ${cluster}: pods move, and what kbs put there is taken away.`;
