/** The last lines of a program's output without empty ones: the lines that say why it failed. */
export const lastLines = (output: string, count = 12): readonly string[] =>
  output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .slice(-count);
