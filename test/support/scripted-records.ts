/** The records of a host's file after a script that may change them: what the shell and awk of the product do. */
export const recordsAfter = (records: string, script: string): string => {
  const [, cluster] = /grep -avF '(,"cluster":".*?")'/.exec(script) ?? [];
  if (cluster !== undefined) return joined(linesOf(records).filter((line) => !line.includes(cluster)));
  const [, words = ''] = /\( umask 077; printf '%s\\n' (.*) \| LC_ALL=C awk /.exec(script) ?? [];
  const changes = wordsOf(words);
  const put = new Map(
    changes.filter((each) => each.startsWith('+')).map((each) => [keyOf(each.slice(1)), each.slice(1)]),
  );
  const dropped = new Set(changes.filter((each) => each.startsWith('-')).map((each) => keyOf(each.slice(1))));
  const kept = linesOf(records).flatMap((line) => put.get(keyOf(line)) ?? (dropped.has(keyOf(line)) ? [] : [line]));
  const known = new Set(linesOf(records).map(keyOf));
  return joined([...kept, ...[...put].flatMap(([key, line]) => (known.has(key) ? [] : [line]))]);
};

const linesOf = (records: string): readonly string[] => records.split('\n').filter(Boolean);
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Kind and id of a record: its text up to the phase. */
const keyOf = (line: string): string => line.split(',"phase":"')[0] ?? line;

/** Words in single quotes, as the product quotes them. */
const wordsOf = (text: string): readonly string[] =>
  [...text.matchAll(/'((?:[^']|'\\'')*)'/g)].map(([, word = '']) => word.replaceAll("'\\''", "'"));
