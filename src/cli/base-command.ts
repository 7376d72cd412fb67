import { Command } from '@oclif/core/command';
import { exits, Failure } from '../failure.js';
import type { EventOptions, EventSinks } from './events/event-sinks.js';
import { commonFlags } from './flags.js';
import { type Interrupt, listenForInterrupt, stopping } from './interrupt.js';
import { writeJson, writeText } from './output.js';

/**
 * What all commands of kbs share: how results, messages, failures and exit statuses leave the process.
 *
 * A command gives flags in, makes one call, and returns its result as plain data: `--json` prints it. Results go to
 * stdout, everything else to stderr. Failures are thrown; this class prints them and sets the exit status.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = commonFlags;
  static override enableJsonFlag = true;

  /** What the first Ctrl-C says, and the exit status that it leads to: another one where it is the usual end of a command. */
  protected readonly interruption: { readonly says: string; readonly status: number } = {
    says: stopping,
    status: exits.interrupted,
  };

  #interrupt: Interrupt | undefined;
  #events: EventSinks[] = [];
  #failed = false;

  /** Gives the result as plain data, or nothing where a command has none. */
  abstract override run(): Promise<unknown>;

  /** Aborts when the user asks to stop. Handed to everything that waits or runs on a host. */
  protected get signal(): AbortSignal {
    this.#interrupt ??= listenForInterrupt(() => this.say(this.interruption.says));
    return this.#interrupt.signal;
  }

  /** For each query of a host: it ends with an interruption, and after `--timeout`. */
  protected limits({ timeout }: { readonly timeout?: number | undefined }): {
    readonly signal: AbortSignal;
    readonly timeout?: number;
  } {
    return { signal: this.signal, ...(timeout === undefined ? {} : { timeout }) };
  }

  /** A result, on stdout; with `--json` the returned value is printed instead. A final newline is added if missing. */
  protected print(text: string): void {
    if (!this.jsonEnabled()) writeText(process.stdout, text);
  }

  /** A message, on stderr. */
  protected say(text: string): void {
    writeText(process.stderr, text);
  }

  /** Ends with this status without failing: `exits.pending`, `exits.partial`. The result is printed as ever. */
  protected exitWith(status: number): void {
    process.exitCode = status;
  }

  /** Where the events of a run go; closed by this class if the command fails before it does so itself. */
  protected async openEvents(options: Omit<EventOptions, 'json'>): Promise<EventSinks> {
    const { openEventSinks } = await import('./events/event-sinks.js');
    const events = await openEventSinks({ ...options, json: this.jsonEnabled() });
    this.#events.push(events);
    return events;
  }

  /** Throws where a question could not be asked: before anything is contacted for it. */
  protected async requireAnswer(yes: boolean): Promise<void> {
    if (yes) return;
    const { requireTerminal } = await import('./confirm.js');
    requireTerminal('dry-run' in this.ctor.flags);
  }

  /** Asks before something changes. `--yes` answers for the user; without a terminal and without it kbs refuses. */
  protected async confirm(question: string, yes: boolean): Promise<void> {
    await this.requireAnswer(yes);
    if (yes) return;
    const { confirm } = await import('./confirm.js');
    if (!(await confirm(question, this.signal))) throw new Failure('usage', 'nothing was changed: the answer was no');
  }

  protected override async init(): Promise<void> {
    await super.init();
    if (this.#given('--no-color')) process.env.NO_COLOR = '1';
    // A reader that has seen enough closes the pipe: `kbs status | head`.
    process.stderr.on('error', ignoreClosedPipe);
    void this.signal;
  }

  protected override async _run<T>(): Promise<T> {
    const result = await super._run<T>();
    // The parent prints what is truthy, and catch prints what failed; a command without a result still owes a document.
    if (this.jsonEnabled() && !result && !this.#failed) this.logJson({});
    return result;
  }

  protected override logJson(document: unknown): void {
    writeJson(process.stdout, document, 2);
  }

  protected override async catch(error: Error): Promise<void> {
    if ('code' in error && error.code === 'EEXIT') throw error;
    this.#failed = true;
    const end = this.parsed ? error : this.#asUsage(error);
    // Only so that the parent does not warn that nothing was parsed, when parsing is what failed.
    this.parsed = true;
    await this.#closeEvents();
    const { reportError } = await import('./error-report.js');
    process.exitCode = reportError(end, {
      json: this.jsonEnabled(),
      verbose: this.#given('-v') || this.#given('--verbose'),
      interrupted: this.signal.aborted,
      home: this.config.pjson.bugs,
    });
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    await this.#closeEvents();
    if (this.signal.aborted) process.exitCode = this.interruption.status;
    this.#interrupt?.close();
    process.stderr.off('error', ignoreClosedPipe);
    await super.finally(error);
  }

  async #closeEvents(): Promise<void> {
    for (const events of this.#events.splice(0)) await events.close();
  }

  /**
   * What is thrown before anything is parsed comes from the parser: its own errors, and plain ones about a value, such
   * as a file that is not there. Both are wrong usage.
   */
  #asUsage(error: Error): Error {
    if (!('oclif' in error || error.constructor === Error)) return error;
    const what = error.message.replace(/\nSee more help with --help$/, '').replace(/ \n\t/g, ': ');
    const command = `${this.config.bin} ${this.id?.replaceAll(':', ' ')}`;
    return new Failure('usage', what, { next: `see ${command} --help`, cause: error });
  }

  /** Whether a flag stands in the arguments: known even where they could not be parsed. */
  #given(flag: string): boolean {
    const end = this.argv.indexOf('--');
    return (end === -1 ? this.argv : this.argv.slice(0, end)).includes(flag);
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
