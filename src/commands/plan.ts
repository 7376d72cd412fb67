import { fileFlags, hostFlags, inventoryFlags, runFlags, selectionFlags } from '../cli/flags.js';
import { RunCommand, settings } from '../cli/run-command.js';

export default class Plan extends RunCommand {
  static override summary = 'Observe the hosts and print what apply would change. Changes nothing.';
  static override description = 'Exit status 10 means that something would change, 0 that nothing would.';
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan -v',
    '<%= config.bin %> plan -o plan.json',
  ];
  static override flags = {
    ...inventoryFlags,
    ...selectionFlags,
    ...hostFlags,
    'skip-check': runFlags['skip-check'],
    events: runFlags.events,
    ...fileFlags,
  };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(Plan);
    const [{ loadCluster }, { apply }, { phaseRun }] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/apply.js'),
      import('../workflows/run/plan-phases.js'),
    ]);
    const { output, ...rest } = flags;
    const loaded = await loadCluster(flags.inventory);
    const exact = { exact: output !== undefined };
    const { plan } = await this.runWorkflow(phaseRun(apply), loaded, { ...rest, 'dry-run': true }, exact);
    if (output !== undefined) {
      const { savePlan } = await import('../workflows/run/saved-plan.js');
      const { selection, skippedChecks } = settings(flags);
      await savePlan(output, { ...plan, selection, skippedChecks: [...skippedChecks] });
      this.say(`saved: kbs apply ${output}`);
    }
    return plan;
  }
}
