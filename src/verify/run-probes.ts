import { type Host, query, type RunOptions } from '../hosts/host.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, sh } from '../hosts/shell.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { CheckResult } from './check-result.js';
import type { ProbeCheck } from './probe-check.js';
import { type Probe, portOf } from './probes.js';

/** Has the probes run their checks: one request for each probe, answered in the order of its checks. */
export const runProbes = async (
  host: Host,
  namespace: string,
  probes: readonly Probe[],
  checks: readonly ProbeCheck[],
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  if (checks.length === 0) return [];
  const sources = probes.filter((probe) => checks.some(({ source }) => source === probe));
  const requests = sources.map((probe) => {
    const list = checks.filter(({ source }) => source === probe).map(({ request }) => request);
    const path = `/api/v1/namespaces/${namespace}/pods/${probe.pod}:${portOf[probe.network]}/proxy/ask?q=${encodeURIComponent(JSON.stringify(list))}`;
    return sh`${raw(kubectl)} get --raw ${path} 2>&1 </dev/null || :`;
  });
  const output = await host.query(query(asRecords(...requests)), { timeout: 300_000, ...limits });
  const records = splitRecords(output.stdout);
  return sources.flatMap((probe, index) => {
    const answers = readAnswers(records[index] ?? '');
    return checks
      .filter(({ source }) => source === probe)
      .map(({ proof, name, meaning }, place): CheckResult => {
        const answer = answers?.[place];
        if (answer) {
          const detail = answer.ok || meaning === undefined ? answer.detail : `${answer.detail}; ${meaning}`;
          return { proof, name, ok: answer.ok, detail, ms: answer.ms };
        }
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
