/** What has to be known of a command's flags: their letters, and whether a value follows. */
type Flags = Readonly<Record<string, { readonly type: 'boolean' | 'option'; readonly char?: string | undefined }>>;

/**
 * The words after `kbs ssh` with `--` set before the remote command, so that oclif takes nothing from behind it.
 *
 * The remote command begins with the second word that is neither a flag nor a flag's value: the first is HOST. Words
 * before it that look like flags stay kbs's, known or not, for oclif to read or to refuse. Where the user wrote `--`
 * there, nothing is added.
 */
export const separateRemoteCommand = (words: readonly string[], flags: Flags): string[] => {
  let hostSeen = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') break;
    if (/^-./.test(word)) at += takesNext(word, flags) ? 1 : 0;
    else if (hostSeen) return words.toSpliced(at, 0, '--');
    else hostSeen = true;
  }
  return [...words];
};

/** As oclif reads flags: `--inventory FILE`, `-i FILE` and `-vi FILE` take the next word; `-iFILE` and `-i=FILE` do not. */
const takesNext = (word: string, flags: Flags): boolean => {
  if (word.startsWith('--')) return flags[word.slice(2)]?.type === 'option';
  const types = [...word.slice(1)].map((letter) => Object.values(flags).find(({ char }) => char === letter)?.type);
  return types.pop() === 'option' && types.every((type) => type === 'boolean');
};
