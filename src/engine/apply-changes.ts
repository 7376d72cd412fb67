import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { type Host, mutation, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { mark, readMark } from '../hosts/records.js';
import { lines, raw, type Script, sh } from '../hosts/shell.js';
import { notDownloadedCode, wrongContentCode } from '../resources/download.js';
import { timedOutCode } from '../resources/resource.js';
import type { Emit } from './event.js';
import type { PlannedChange } from './executable-plan.js';
import { verbOf } from './plan.js';

/**
 * All changes of one phase in one script: each is marked as it begins, so a failure names its resource. An interruption
 * lets the script finish.
 */
export const applyChanges = async (
  host: Host,
  phase: string,
  planned: readonly PlannedChange[],
  { emit, timeout }: { readonly emit: Emit } & Pick<RunOptions, 'timeout'>,
): Promise<void> => {
  let current = -1;
  const report = (index: number, state: 'started' | 'done') => {
    const { change, quiet } = planned[index] ?? {};
    if (!change || quiet) return;
    const { kind, id, action } = change;
    emit({ type: 'change', host: host.name, phase, state, change: { kind, id, action } });
  };
  const onLine = (line: string) => {
    const begun = readMark(line);
    if (!begun?.startsWith(changeMark)) return;
    report(current, 'done');
    current = Number(begun.slice(changeMark.length));
    report(current, 'started');
  };
  const payloads = planned.flatMap(({ steps }) => steps.flatMap((step) => step.payloads));
  const output = await host
    .mutate(mutation(compose(planned), payloads), { onLine, ...defined({ timeout }) })
    .catch((error: unknown) => {
      throw inPhase(phase, error);
    });
  if (output.code === 0) return;
  if (output.code === lockedCode && current < 0) throw lockedElsewhere(host.name);
  const failed = planned[current]?.change;
  throw new Failure(
    output.code === timedOutCode ? 'timeout' : 'refused',
    failed ? `${verbOf(failed)} ${failed.kind} ${failed.id} failed` : 'the phase failed',
    {
      where: {
        host: host.name,
        phase,
        ...(failed ? { resource: `${failed.kind} ${failed.id}` } : {}),
        command: `sh (exit status ${output.code})`,
      },
      why: lastLines(output.stderr),
      next: nextSteps[output.code] ?? 'fix the cause on the host, then run the same command again',
    },
  );
};

/** By the exit status of a step. */
const nextSteps: Readonly<Record<number, string>> = {
  [notDownloadedCode]:
    'let the host reach that address (`proxy`, `artifacts.mirrors` in the inventory) and run the same command again: what arrived is kept; or write artifacts: { fetch: operator }, and this machine downloads for it',
  [wrongContentCode]: 'find out why the address has another content for this host: nothing of it was kept',
};

/** Adds the phase to the failure of a connection, which does not know it. */
export const inPhase = (phase: string, error: unknown): unknown => {
  if (!(error instanceof Failure)) return error;
  const { code, message, where, why, next, cause } = error;
  return new Failure(code, message, {
    where: { ...where, phase },
    why,
    ...defined({ next }),
    cause,
  });
};

const changeMark = 'change ';
/** The exit status of a script that did not get the host's lock. */
export const lockedCode = 79;

/**
 * The script holds the host's lock, so that changes of two runs never mix. It waits up to 60 s for the lock: the script of
 * a run whose kbs was killed may still be ending. A mark begins with a line break, as the last output of a step may lack one.
 */
const compose = (planned: readonly PlannedChange[]): Script =>
  lines(
    takeLock,
    ...planned.flatMap(({ steps }, index) => [begin(index), ...steps.map(({ script }) => withoutLock(script))]),
    begin(planned.length),
  );

/** A script that holds the host's lock while it runs. */
export const locked = (script: Script): Script => lines(takeLock, withoutLock(script));

const takeLock = lines(sh`exec 9>>/run/kbs.lock`, sh`flock -w 60 -E ${lockedCode} 9`);

/** A process that a script leaves behind must not hold the lock. */
const withoutLock = (script: Script): Script => sh`(\n${raw(script)}\n) 9>&-`;

const begin = (index: number): Script => lines(sh`echo`, mark(`${changeMark}${index}`));

export const lockedElsewhere = (host: string): Failure =>
  new Failure('locked', 'another run of kbs is changing this host', {
    where: { host },
    next: 'wait for it to end, then run the same command again',
  });
