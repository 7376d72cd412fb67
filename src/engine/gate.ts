import { Failure, toProblem } from '../failure.js';
import { type Observer, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { mark, readMark } from '../hosts/records.js';
import { lines, raw, type Script, sh, uptime } from '../hosts/shell.js';
import type { Gate } from '../phases/phase.js';
import type { Emit } from './event.js';

interface GateContext {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly timeout?: number;
  /** The other hosts that gates may be about. */
  readonly at?: (host: string) => Observer | undefined;
}

/**
 * Waits until every gate is open: one script on the host that repeats the tests, so that waiting costs no round
 * trips. Throws a Failure `timeout` with the reason of each gate that stayed closed.
 */
export const awaitGates = async (
  host: Observer,
  phase: string,
  gates: readonly Gate[],
  { emit, signal, timeout, at = () => undefined }: GateContext,
): Promise<void> => {
  const begun = Date.now();
  const closed = new Set(gates);
  const bound =
    timeout === undefined ? Math.max(...gates.map((gate) => gate.timeoutSeconds)) : Math.ceil(timeout / 1000);
  for (const { name } of gates) emit({ type: 'gate', host: host.name, phase, gate: name, state: 'started' });
  const onLine = (line: string) => {
    const gate = gates[Number(readMark(line))];
    if (!gate) return;
    closed.delete(gate);
    emit({ type: 'gate', host: host.name, phase, gate: gate.name, state: 'done', ms: Date.now() - begun });
  };
  const output = await host.query(query(waiting(gates, bound)), {
    onLine,
    signal,
    timeout: (bound + 30) * 1000,
  });
  if (output.code === 0) return;
  const names = [...closed].map(({ name }) => name).join(', ');
  // The test of a gate about another host runs here, but the cause is on that host.
  const hosts = [...new Set([...closed].map(({ afterHost }) => afterHost ?? host.name))];
  const failure = new Failure(
    output.code === timedOut ? 'timeout' : 'refused',
    output.code === timedOut ? `timed out after ${bound} s waiting for: ${names}` : `cannot wait for: ${names}`,
    {
      where: { host: host.name, phase },
      why: [...lastLines(output.stderr), ...(await logsOf([...closed], host, at, signal))],
      next: `see why on ${hosts.join(', ')} (${hosts.map((name) => `kbs ssh ${name}`).join('; ')}), then run the same command again`,
    },
  );
  emit({
    type: 'gate',
    host: host.name,
    phase,
    gate: names,
    state: 'failed',
    error: toProblem(failure),
  });
  throw failure;
};

const timedOut = 124;

/** What the programs behind closed gates have logged, each of a host once; nothing of a host that does not answer. */
const logsOf = async (
  closed: readonly Gate[],
  host: Observer,
  at: NonNullable<GateContext['at']>,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const logs = closed.flatMap(({ log, afterHost }) => {
    const about = afterHost === undefined ? host : at(afterHost);
    return log === undefined || about === undefined ? [] : [{ log, about }];
  });
  const said = logs.map(async ({ log, about }) => {
    try {
      const { stdout } = await about.query(query(log.script), { signal, timeout: 10_000 });
      return lastLines(stdout, 6).map((line) => `${log.of} of ${about.name}: ${line}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [];
    }
  });
  return (await Promise.all(said)).flat();
};

const waiting = (gates: readonly Gate[], bound: number): Script =>
  lines(
    sh`set +e`,
    sh`kbs_deadline=$(( ${raw(uptime)} + ${bound} ))`,
    ...gates.map((_, index) => sh`${opened(index)}=no`),
    sh`while :; do`,
    sh`kbs_closed=0`,
    ...new Set(gates.map((gate) => gate.prelude ?? sh``)),
    ...gates.map(
      ({ test }, index) => sh`if [ $${opened(index)} = no ]; then
  if ${reason(index)}=$( (${raw(test)}) 2>&1 ); then ${opened(index)}=yes; ${raw(mark(index))}
  else kbs_closed=1; fi
fi`,
    ),
    sh`[ $kbs_closed = 0 ] && exit 0`,
    sh`[ ${raw(uptime)} -ge $kbs_deadline ] && break`,
    sh`sleep 0.3`,
    sh`done`,
    ...gates.map(
      ({ name }, index) => sh`[ $${opened(index)} = yes ] || printf '%s: %s\\n' ${name} "$${reason(index)}" >&2`,
    ),
    sh`exit ${timedOut}`,
  );

/** Shell variables of one gate. */
const opened = (index: number): string => `kbs_open_${index}`;
const reason = (index: number): string => `kbs_reason_${index}`;
