import { file } from '@oclif/core/args';
import { inventoryFlags, outputFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';
import { Failure } from '../failure.js';

export default class Apply extends RunCommand {
  static override summary = 'Make every host what the inventory says: init and join in one.';
  static override description =
    `Shows the plan and asks before it changes anything. With a saved plan, exactly that plan is applied, or nothing where
the hosts have changed since.`;
  static override examples = [
    '<%= config.bin %> apply',
    '<%= config.bin %> apply --limit worker-rack-00 --only routes',
    '<%= config.bin %> plan -o plan.json && <%= config.bin %> apply plan.json',
  ];
  static override args = { plan: file({ description: 'a plan that was saved by `plan -o`', exists: true }) };
  static override flags = { ...inventoryFlags, ...runFlags, ...outputFlags(['text', 'yaml']) };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Apply);
    const { loadCluster } = await import('../workflows/load-cluster.js');
    if (args.plan === undefined) return this.runPhases('apply', await loadCluster(flags.inventory), flags);
    const narrowing = (['limit', 'only', 'from', 'skip-check'] as const).filter((name) => flags[name] !== undefined);
    if (narrowing.length > 0) {
      throw new Failure('usage', `--${narrowing.join(' and --')} cannot change what ${args.plan} is about`, {
        next: `give it when the plan is made: kbs plan --${narrowing[0]} … -o ${args.plan}`,
      });
    }
    const { readPlan } = await import('../workflows/run/saved-plan.js');
    const { selection = {}, skippedChecks = [], ...saved } = await readPlan(args.plan);
    const details = { saved, selection, skippedChecks: new Set(skippedChecks) };
    const result = await this.runPhases('apply', await loadCluster(flags.inventory), flags, details);
    if (flags['dry-run'] && flags.output !== 'yaml') this.say(`${args.plan} still holds`);
    return result;
  }
}
