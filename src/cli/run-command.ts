import { isEmpty, type Plan } from '../engine/plan.js';
import { exits, Failure } from '../failure.js';
import type { LoadedCluster } from '../workflows/load-cluster.js';
import type { Launch } from '../workflows/run/launch.js';
import type { Prepared, Run } from '../workflows/run/run.js';
import { BaseCommand } from './base-command.js';

/** What the flags of a run say, as `this.parse` gives them. */
export interface RunFlags {
  readonly inventory: string;
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

/** What a run is about, beyond what its flags say; what stands here goes before them. */
type About = Partial<Pick<Launch, 'joining' | 'saved' | 'selection' | 'skippedChecks'>>;

/** What the commands share that walk phases over hosts: init, join and apply. */
export abstract class RunCommand extends BaseCommand {
  // For a command that is made from another, oclif gathers the common flags from class to class, and goes no further than
  // a class without a static of its own.
  static override baseFlags = BaseCommand.baseFlags;

  /** Looks, shows or does what the workflow would change, and gives the result for `--json`. */
  protected async launch(
    workflow: Run['workflow'],
    flags: RunFlags,
    { text, ...about }: About & { readonly text?: string } = {},
  ): Promise<unknown> {
    if (flags.output === 'yaml' && !flags['dry-run']) {
      throw new Failure('usage', '-o yaml shows what a run would put on hosts, and goes with --dry-run');
    }
    if (flags.output === 'yaml' && this.jsonEnabled()) {
      throw new Failure('usage', '-o yaml and --json both want stdout', { next: 'leave one of them out' });
    }
    const [{ loadCluster }, launching] = await Promise.all([
      import('../workflows/load-cluster.js'),
      import('../workflows/run/launch.js'),
    ]);
    const opened = await loadCluster(flags.inventory, text);
    if (flags.output === 'yaml') {
      const { manifests } = await import('../workflows/render.js');
      this.print(await manifests(opened, { workflow, selection: settings(flags).selection, ...about }));
      return undefined;
    }
    if (flags['dry-run']) return this.foresee(workflow, opened, flags, about);
    await this.confirm(`${workflow} will change the hosts of cluster ${opened.cluster.name}.`, flags.yes ?? false);
    const events = await this.openEvents({
      events: flags.events,
      verbose: flags.verbose ?? false,
      journal: `${opened.state}/journal`,
    });
    const done = await launching.launch(opened, this.#wishes(workflow, flags, about, events));
    await events.close();
    await this.#report(done.prepared, done.summary.skipped.length);
    return { ...done.summary, execs: done.execs, plan: done.prepared.plan };
  }

  /**
   * Prints the plan of a workflow and touches nothing; status 10 where something would change, and 8 where nothing
   * would on the hosts that answered.
   */
  protected async foresee(
    workflow: Run['workflow'],
    opened: LoadedCluster,
    flags: RunFlags,
    about: About & { readonly exact?: boolean } = {},
  ): Promise<Plan> {
    const { foresee } = await import('../workflows/run/launch.js');
    const events = await this.openEvents({ events: flags.events, verbose: flags.verbose ?? false });
    const { plan } = await foresee(opened, this.#wishes(workflow, flags, about, events));
    await events.close();
    const { planText } = await import('./text/diff-text.js');
    const { colorsFor } = await import('./text/color.js');
    this.print(planText(plan, { colors: colorsFor(process.stdout), verbose: flags.verbose ?? false }));
    if (!isEmpty(plan)) this.exitWith(exits.pending);
    else if (plan.hosts.some(({ skipped }) => skipped !== undefined)) this.exitWith(exits.partial);
    return plan;
  }

  #wishes<T extends About>(workflow: Run['workflow'], flags: RunFlags, about: T, { emit }: Pick<Launch, 'emit'>) {
    const say = (text: string) => this.say(text);
    return { workflow, emit, signal: this.signal, say, ...settings(flags), ...about };
  }

  async #report({ plan }: Prepared, skipped: number): Promise<void> {
    if (isEmpty(plan)) {
      const { summaryText } = await import('./text/diff-text.js');
      this.print(summaryText(plan));
    }
    if (skipped > 0) this.exitWith(exits.partial);
  }
}

/** What the flags say about a run, in the words of the workflows. */
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
