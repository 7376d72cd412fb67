import { Failure } from '../failure.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import { query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { separator, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh } from '../hosts/shell.js';

/** One query of a batch. `name` is used in failures. */
export interface BatchQuery {
  readonly name: string;
  readonly script: Script;
  /** Calls the API server. Such queries run one after the other, while the others of the batch run. */
  readonly callsApi?: true;
}

/** Results of queries, by the text of the query's script. */
export type QueryResults = ReadonlyMap<string, QueryResult>;

export interface QueryResult {
  readonly code: number;
  readonly output: string;
}

/**
 * Runs all queries on a host in one script and one round trip, as forty single round trips would take seconds. Preludes
 * run first, each once. Throws a Failure when the host cannot be reached or the script ends early.
 */
export const queryAll = async (
  host: Observer,
  preludes: readonly Script[],
  queries: readonly BatchQuery[],
  options: RunOptions = {},
): Promise<QueryResults> => {
  if (queries.length === 0) return new Map();
  const output = await host.query(query(compose(preludes, queries)), options);
  const records = splitRecords(output.stdout).slice(1);
  const printed = [...queries.filter(({ callsApi }) => !callsApi), ...queries.filter(({ callsApi }) => callsApi)];
  if (records.length !== printed.length) {
    throw new Failure('refused', 'the query ended early', {
      where: { host: host.name, resource: printed[records.length]?.name ?? '' },
      why: lastLines(output.stderr),
      next: `run: kbs ssh ${host.name}`,
    });
  }
  return new Map(printed.map(({ script }, index) => [script, resultOf(records[index] ?? '')]));
};

/**
 * Each result is a record: the separator, the query's exit status, a line break, its output.
 * `set -e` is on only inside each query, so that a failed query does not end the script. A pipe holds the records of the
 * queries that call the API server until the others have printed theirs.
 */
const compose = (preludes: readonly Script[], queries: readonly BatchQuery[]): Script => {
  const ofApi = queries.filter(({ callsApi }) => callsApi);
  const ofHost = recordsOf(queries.filter(({ callsApi }) => !callsApi));
  return lines(
    sh`set +eu`,
    sh`kbs_result() { kbs_code=$?; ${raw(separator)}; printf '%d\\n%s' "$kbs_code" "$kbs_output"; }`,
    ...new Set(preludes),
    ofApi.length === 0
      ? ofHost
      : sh`{\n${raw(recordsOf(ofApi))}\n} </dev/null | {\n{\n${raw(ofHost)}\n} </dev/null\ncat\n}`,
    sh`exit 0`,
  );
};

const recordsOf = (queries: readonly BatchQuery[]): Script =>
  lines(sh`:`, ...queries.map(({ script }) => sh`kbs_output=$(set -eu\n${raw(script)}\n)\nkbs_result`));

const resultOf = (record: string): QueryResult => {
  const end = record.indexOf('\n');
  return { code: Number(record.slice(0, end)), output: record.slice(end + 1) };
};
