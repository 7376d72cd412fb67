import { type Host, query, type RunOptions } from '../hosts/host.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, sh } from '../hosts/shell.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { CheckResult } from './check-result.js';
import type { ProbeCheck } from './probe-checks.js';
import { type Probe, portOf } from './probes.js';

/** Puts all questions to their probes: one request for each probe, answered in the order asked. */
export const runProbes = async (
  host: Host,
  namespace: string,
  probes: readonly Probe[],
  asked: readonly ProbeCheck[],
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  if (asked.length === 0) return [];
  const askers = probes.filter((probe) => asked.some(({ asker }) => asker === probe));
  const requests = askers.map((probe) => {
    const list = asked.filter(({ asker }) => asker === probe).map((question) => question.ask);
    const path = `/api/v1/namespaces/${namespace}/pods/${probe.pod}:${portOf[probe.stand]}/proxy/ask?q=${encodeURIComponent(JSON.stringify(list))}`;
    return sh`${raw(kubectl)} get --raw ${path} 2>&1 </dev/null || :`;
  });
  const output = await host.query(query(asRecords(...requests)), { timeout: 300_000, ...limits });
  const records = splitRecords(output.stdout);
  return askers.flatMap((probe, index) => {
    const answers = readAnswers(records[index] ?? '');
    return asked
      .filter(({ asker }) => asker === probe)
      .map(({ proof, name }, place): CheckResult => {
        const answer = answers?.[place];
        if (answer) return { proof, name, ok: answer.ok, detail: answer.detail, ms: answer.ms };
        return { proof, name, ok: false, detail: `the probe did not answer: ${(records[index] ?? '').trim()}`, ms: 0 };
      });
  });
};

interface Answer {
  readonly ok: boolean;
  readonly detail: string;
  readonly ms: number;
}

/** The probe's own JSON; undefined where the API server answered in its place. */
const readAnswers = (text: string): readonly Answer[] | undefined => {
  if (!text.trim().startsWith('[')) return undefined;
  return JSON.parse(text) as readonly Answer[];
};
