import { Failure } from '../failure.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import { query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { separator, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh } from '../hosts/shell.js';

/** One query of a batch, and its name in a failure. */
export interface BatchQuery {
  readonly name: string;
  readonly script: Script;
}

/** The results of queries, by their script. */
export type QueryResults = ReadonlyMap<string, QueryResult>;

export interface QueryResult {
  readonly code: number;
  readonly output: string;
}

/**
 * Runs all queries on a host in one script and one round trip: forty in sequence cost seconds, together a fraction of
 * one. Preludes come first, once. Throws a Failure when the host cannot be reached.
 */
export const queryAll = async (
  host: Observer,
  preludes: readonly Script[],
  questions: readonly BatchQuery[],
  options: RunOptions = {},
): Promise<QueryResults> => {
  if (questions.length === 0) return new Map();
  const output = await host.query(query(compose(preludes, questions)), options);
  const answers = splitRecords(output.stdout).slice(1);
  if (answers.length !== questions.length) {
    throw new Failure('refused', 'the query ended early', {
      where: { host: host.name, resource: questions[answers.length]?.name ?? '' },
      why: lastLines(output.stderr),
      next: `run: kbs ssh ${host.name}`,
    });
  }
  return new Map(questions.map(({ script }, index) => [script, answer(answers[index] ?? '')]));
};

/**
 * Each result is a record: the separator, the query's exit status, a line break, its output.
 * `set -e` holds inside the queries only; one that fails must not end the others.
 */
const compose = (preludes: readonly Script[], questions: readonly BatchQuery[]): Script =>
  lines(
    sh`set +eu`,
    sh`kbs_answer() { kbs_code=$?; ${raw(separator)}; printf '%d\\n%s' "$kbs_code" "$kbs_output"; }`,
    ...new Set(preludes),
    ...questions.map(({ script }) => sh`kbs_output=$(set -eu\n${raw(script)}\n)\nkbs_answer`),
    sh`exit 0`,
  );

const answer = (record: string): QueryResult => {
  const end = record.indexOf('\n');
  return { code: Number(record.slice(0, end)), output: record.slice(end + 1) };
};
