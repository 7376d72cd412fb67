import { Failure } from '../failure.js';
import type { Observer, RunOptions } from '../hosts/host.js';
import { query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';

/** One question of a look, and how a failure of it is named. */
export interface BatchQuery {
  readonly name: string;
  readonly script: string;
}

/** The answers to questions, by their script. */
export type QueryResults = ReadonlyMap<string, QueryResult>;

export interface QueryResult {
  readonly code: number;
  readonly output: string;
}

/**
 * Asks a host all questions in one script and one round trip: forty questions in sequence cost seconds, together a
 * fraction of one. Preludes come first, once. Throws a Failure when the host cannot be reached.
 */
export const queryAll = async (
  host: Observer,
  preludes: readonly string[],
  questions: readonly BatchQuery[],
  options: RunOptions = {},
): Promise<QueryResults> => {
  if (questions.length === 0) return new Map();
  const output = await host.query(query(compose(preludes, questions)), options);
  const answers = output.stdout.split('\x1e').slice(1);
  if (answers.length !== questions.length) {
    throw new Failure('refused', 'the look ended early', {
      where: { host: host.name, resource: questions[answers.length]?.name ?? '' },
      why: lastLines(output.stderr),
      next: `run: kbs ssh ${host.name}`,
    });
  }
  return new Map(questions.map(({ script }, index) => [script, answer(answers[index] ?? '')]));
};

/**
 * Each answer is a record: the separator, the question's exit status, a line break, its output.
 * `set -e` holds inside the questions only; one that fails must not end the others.
 */
const compose = (preludes: readonly string[], questions: readonly BatchQuery[]): string =>
  [
    'set +eu',
    'kbs_answer() { kbs_code=$?; printf "\\036%d\\n%s" "$kbs_code" "$kbs_output"; }',
    ...new Set(preludes),
    ...questions.map(({ script }) => `kbs_output=$(set -eu\n${script}\n)\nkbs_answer`),
    'exit 0',
  ].join('\n');

const answer = (record: string): QueryResult => {
  const end = record.indexOf('\n');
  return { code: Number(record.slice(0, end)), output: record.slice(end + 1) };
};
