import { isEmpty, type Plan } from '../engine/plan.js';
import { exits, Failure } from '../failure.js';
import type { Launch } from '../workflows/launch.js';
import type { Opened } from '../workflows/open.js';
import type { Prepared, Run } from '../workflows/run.js';
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
    const [{ open }, launching] = await Promise.all([import('../workflows/open.js'), import('../workflows/launch.js')]);
    const opened = await open(flags.inventory, text);
    if (flags.output === 'yaml') {
      const { manifests } = await import('../workflows/render.js');
      this.print(await manifests(opened, { workflow, selection: settings(flags).selection, ...about }));
      return undefined;
    }
    if (flags['dry-run']) return this.foresee(workflow, opened, flags, about);
    await this.consent(`${workflow} will change the hosts of cluster ${opened.cluster.name}.`, flags.yes ?? false);
    const telling = await this.tell({
      events: flags.events,
      verbose: flags.verbose ?? false,
      journal: `${opened.state}/journal`,
    });
    const done = await launching.launch(opened, this.#wishes(workflow, flags, about, telling));
    await telling.close();
    await this.#report(done.prepared, done.summary.aside.length);
    return { ...done.summary, execs: done.execs, plan: done.prepared.plan };
  }

  /**
   * Prints the plan of a workflow and touches nothing; status 10 where something would change, and 8 where nothing
   * would on the hosts that answered.
   */
  protected async foresee(
    workflow: Run['workflow'],
    opened: Opened,
    flags: RunFlags,
    about: About & { readonly exact?: boolean } = {},
  ): Promise<Plan> {
    const { foresee } = await import('../workflows/launch.js');
    const telling = await this.tell({ events: flags.events, verbose: flags.verbose ?? false });
    const { plan } = await foresee(opened, this.#wishes(workflow, flags, about, telling));
    await telling.close();
    const { planText } = await import('./diff-text.js');
    const { paintFor } = await import('./paint.js');
    this.print(planText(plan, { paint: paintFor(process.stdout), verbose: flags.verbose ?? false }));
    if (!isEmpty(plan)) this.exitWith(exits.pending);
    else if (plan.hosts.some(({ unreachable }) => unreachable !== undefined)) this.exitWith(exits.partial);
    return plan;
  }

  #wishes<T extends About>(workflow: Run['workflow'], flags: RunFlags, about: T, { emit }: Pick<Launch, 'emit'>) {
    const say = (text: string) => this.say(text);
    return { workflow, emit, signal: this.signal, say, ...settings(flags), ...about };
  }

  async #report({ plan }: Prepared, aside: number): Promise<void> {
    if (isEmpty(plan)) {
      const { summaryText } = await import('./diff-text.js');
      this.print(summaryText(plan));
    }
    if (aside > 0) this.exitWith(exits.partial);
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
