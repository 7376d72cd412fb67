/** A line's first word, and the rest. */
export const splitOnce = (line: string): readonly [string, string] => {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1).trim()];
};

/** Lines of the form `key value`, read by their key. */
export interface KeyedLines {
  all(key: string): readonly string[];
  /** The first. */
  one(key: string): string | undefined;
}

/** The lines of an output that begin with a word of their own, and then have a key; undefined where it has none. */
export const linesAfter = (word: string, output: string): KeyedLines | undefined => {
  const lines = output
    .split('\n')
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => splitOnce(splitOnce(line)[1]))
    .filter(([, value]) => value !== '');
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  return lines.length === 0 ? undefined : { all, one: (key) => all(key)[0] };
};
