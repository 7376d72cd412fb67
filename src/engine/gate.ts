import { Failure, toProblem } from '../failure.js';
import { type Observer, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { quote, uptime } from '../hosts/shell.js';
import type { Gate } from '../phases/phase.js';
import type { Emit } from './event.js';

/**
 * Waits until every gate is open: one script on the host that asks again and again, so that waiting costs no round
 * trips. Throws a Failure `timeout` with the reason of each gate that stayed closed.
 */
export const awaitGates = async (
  host: Observer,
  phase: string,
  gates: readonly Gate[],
  { emit, signal, timeout }: { readonly emit: Emit; readonly signal: AbortSignal; readonly timeout?: number },
): Promise<void> => {
  const begun = Date.now();
  const patience =
    timeout === undefined ? Math.max(...gates.map((gate) => gate.timeoutSeconds)) : Math.ceil(timeout / 1000);
  for (const { name } of gates) emit({ type: 'gate', host: host.name, phase, gate: name, state: 'started' });
  const closed = new Set(gates);
  const onLine = (line: string) => {
    const opened = line.startsWith('\x1e') ? gates[Number(line.slice(1))] : undefined;
    if (!opened) return;
    closed.delete(opened);
    emit({ type: 'gate', host: host.name, phase, gate: opened.name, state: 'done', ms: Date.now() - begun });
  };
  const output = await host.query(query(waiting(gates, patience)), {
    onLine,
    signal,
    timeout: (patience + 30) * 1000,
  });
  if (output.code === 0) return;
  const failure = new Failure(
    output.code === timedOut ? 'timeout' : 'refused',
    `${phase}: not so after ${patience} s`,
    {
      where: { host: host.name, phase },
      why: lastLines(output.stderr),
      next: `look at it on the host (kbs ssh ${host.name}), then run the same command again`,
    },
  );
  emit({
    type: 'gate',
    host: host.name,
    phase,
    gate: [...closed].map(({ name }) => name).join(', '),
    state: 'failed',
    error: toProblem(failure),
  });
  throw failure;
};

const timedOut = 124;

const waiting = (gates: readonly Gate[], patience: number): string =>
  [
    'set +e',
    `kbs_deadline=$(( ${uptime} + ${patience} ))`,
    ...gates.map((_, index) => `kbs_open_${index}=no`),
    'while :; do',
    'kbs_closed=0',
    ...new Set(gates.map((gate) => gate.prelude ?? '')),
    ...gates.map(
      ({ test }, index) => `if [ $kbs_open_${index} = no ]; then
  if kbs_reason_${index}=$( (${test}) 2>&1 ); then kbs_open_${index}=yes; printf '\\036%d\\n' ${index}
  else kbs_closed=1; fi
fi`,
    ),
    '[ $kbs_closed = 0 ] && exit 0',
    `[ ${uptime} -ge $kbs_deadline ] && break`,
    'sleep 0.3',
    'done',
    ...gates.map(
      ({ name }, index) =>
        `[ $kbs_open_${index} = yes ] || printf '%s: %s\\n' ${quote(name)} "$kbs_reason_${index}" >&2`,
    ),
    `exit ${timedOut}`,
  ].join('\n');
