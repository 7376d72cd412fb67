import { defined } from '../defined.js';
import { changesOf, isEmpty, type Plan } from '../engine/plan.js';
import { exits, Failure } from '../failure.js';
import type { LoadedCluster } from '../workflows/load-cluster.js';
import type { Workflow } from '../workflows/run/context.js';
import type { RunRequest, RunResult } from '../workflows/run/execute.js';
import type { PhaseRun } from '../workflows/run/phase-workflow.js';
import { BaseCommand } from './base-command.js';
import type { EventSinks } from './events/event-sinks.js';

/** What the flags of a run say, as `this.parse` gives them. Commands without selection or output lack those. */
export interface RunFlags {
  readonly limit?: string[] | undefined;
  readonly only?: string[] | undefined;
  readonly from?: string | undefined;
  readonly 'skip-check'?: string[] | undefined;
  readonly 'accept-new-host-keys'?: boolean;
  readonly 'dry-run'?: boolean;
  readonly output?: string | undefined;
  readonly yes?: boolean;
  readonly verbose?: boolean;
  readonly events?: string | undefined;
  readonly timeout?: number | undefined;
}

/** What a run is about beyond what its flags say. */
type Details = Partial<Pick<RunRequest, 'saved' | 'selection' | 'skippedChecks' | 'exact'>>;

/** What the commands share that change hosts or the cluster: plan, show, ask, apply. */
export abstract class RunCommand extends BaseCommand {
  // For a command that is made from another, oclif gathers the common flags from class to class, and goes no further than
  // a class without a static of its own.
  static override baseFlags = BaseCommand.baseFlags;

  /** Runs `init`, `join` or `apply`; with `-o yaml`, prints what it would put on hosts, contacting none. */
  protected async runPhases(
    name: 'init' | 'join' | 'apply',
    loaded: LoadedCluster,
    flags: RunFlags,
    { joining, purges, ...details }: Details & Pick<PhaseRun, 'joining' | 'purges'> = {},
  ): Promise<unknown> {
    const workflow = await workflows[name]();
    const about = defined({ joining, purges });
    if (flags.output === 'yaml') {
      this.#refuseYaml(flags);
      const { manifests } = await import('../workflows/render.js');
      const { selection } = settings(flags);
      this.print(await manifests(loaded, { workflow, selection, ...about, ...details }));
      return undefined;
    }
    const { phaseRun } = await import('../workflows/run/plan-phases.js');
    const { plan, summary, commands } = await this.runWorkflow(phaseRun(workflow, about), loaded, flags, details);
    return flags['dry-run'] ? plan : { ...summary, commands, plan };
  }

  /**
   * Plans a workflow, shows the plan, asks, and applies it. With `--dry-run` the plan is printed and nothing is touched:
   * status 10 where something would change, 8 where nothing would and hosts were skipped.
   */
  protected async runWorkflow(
    workflow: Workflow,
    loaded: LoadedCluster,
    flags: RunFlags,
    details: Details = {},
  ): Promise<RunResult> {
    const dryRun = flags['dry-run'] ?? false;
    const verbose = flags.verbose ?? false;
    if (!dryRun) await this.requireAnswer(flags.yes ?? false);
    const [{ execute }, { askingWithin }] = await Promise.all([
      import('../workflows/run/execute.js'),
      import('../workflows/run/pool.js'),
    ]);
    const journal = dryRun ? {} : { journal: `${loaded.state}/journal` };
    const events = await this.openEvents({ events: flags.events, verbose, ...journal });
    const result = await execute({
      workflow,
      loaded,
      dryRun,
      emit: events.emit,
      signal: this.signal,
      say: (text) => this.say(text),
      openPool: askingWithin((ask) => events.pauseDrawing(ask)),
      confirm: (plan, local) => this.#showAndAsk(plan, local, flags, events),
      ...settings(flags),
      ...details,
    });
    await events.close();
    await this.#printResult(result.plan, { dryRun, verbose });
    const { skipped } = result.summary;
    if (dryRun && !isEmpty(result.plan)) this.exitWith(exits.pending);
    else if (skipped.length > 0) this.exitWith(exits.partial);
    return result;
  }

  async #showAndAsk(plan: Plan, local: readonly string[], flags: RunFlags, events: EventSinks): Promise<void> {
    const [{ overviewText }, { planText }, { colorsFor }] = await Promise.all([
      import('./text/overview-text.js'),
      import('./text/diff-text.js'),
      import('./text/color.js'),
    ]);
    const colors = colorsFor(process.stderr);
    const verbose = flags.verbose ?? false;
    await events.pauseDrawing(async () => {
      this.say(verbose || isOneOperation(plan) ? planText(plan, { colors, verbose }) : overviewText(plan, colors));
      for (const sentence of local) this.say(sentence);
      await this.confirm(`${plan.workflow} will make these changes.`, flags.yes ?? false);
    });
  }

  async #printResult(plan: Plan, { dryRun, verbose }: { dryRun: boolean; verbose: boolean }): Promise<void> {
    if (!dryRun && !isEmpty(plan)) return;
    const [{ planText, summaryText }, { colorsFor }] = await Promise.all([
      import('./text/diff-text.js'),
      import('./text/color.js'),
    ]);
    const colors = colorsFor(process.stdout);
    this.print(dryRun ? planText(plan, { colors, verbose }) : summaryText(plan));
  }

  #refuseYaml(flags: RunFlags): void {
    if (!flags['dry-run']) {
      throw new Failure('usage', '-o yaml shows what a run would put on hosts, and goes with --dry-run');
    }
    if (this.jsonEnabled()) {
      throw new Failure('usage', '-o yaml and --json both want stdout', { next: 'leave one of them out' });
    }
  }
}

/** What a single operation does fits the question: who is given which rights, for one. */
const isOneOperation = (plan: Plan): boolean => {
  const changes = changesOf(plan);
  return changes.length === 1 && changes[0]?.kind === 'operation';
};

const workflows = {
  init: async () => (await import('../workflows/init.js')).init,
  join: async () => (await import('../workflows/join.js')).join,
  apply: async () => (await import('../workflows/apply.js')).apply,
};

/** The options of a run that its flags give. */
export const settings = (flags: RunFlags) => ({
  selection: {
    ...(flags.limit?.length ? { limit: flags.limit } : {}),
    ...(flags.only?.length ? { only: flags.only } : {}),
    ...(flags.from === undefined ? {} : { from: flags.from }),
  },
  acceptNewHostKeys: flags['accept-new-host-keys'] ?? false,
  skippedChecks: new Set(flags['skip-check'] ?? []),
  ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
});
