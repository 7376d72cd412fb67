import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page of the documentation by its path in the repository: what stands between its fences. */
export const readPage = (path: string): Page => {
  const blocks = [...readFileSync(join(root, path), 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
    ([, language = '', text = '']) => ({ language, text }),
  );
  return {
    commands: blocks
      .filter(({ language }) => language === '' || language === 'sh')
      .flatMap(({ text }) => text.split('\n'))
      .flatMap((line) => /^(?:\$ )?((?:kbs|kubectl|curl) .*?)(?: +#.*)?$/.exec(line)?.[1] ?? []),
    yaml: blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text),
  };
};

export interface Page {
  /** The lines that run kbs, kubectl or curl, in their order, without prompts and comments. */
  readonly commands: readonly string[];
  readonly yaml: readonly string[];
}

/** The words of a command up to a pipe, a redirection or the next command. Quotes hold words together. */
export const wordsOf = (command: string): readonly string[] => {
  const [alone = ''] = command.split(/ (?:>|\||&&) /, 1);
  return [...alone.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
};
