/** A line's first word, and the rest. */
export const splitOnce = (line: string): readonly [string, string] => {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1).trim()];
};
