/** A command as a shell needs to know it. */
export interface CommandOutline {
  /** The words that name it, `certs renew`. */
  readonly words: string;
  readonly summary: string;
  /** With their dashes. */
  readonly flags: readonly FlagOutline[];
}

export interface FlagOutline {
  readonly name: string;
  readonly summary: string;
}

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** A script that completes the words and flags of all commands in one shell; file names are left to the shell. */
export function completionText(shell: Shell, bin: string, commands: readonly CommandOutline[]): string {
  switch (shell) {
    case 'bash':
      return bash(bin, commands);
    case 'zsh':
      return zsh(bin, commands);
    case 'fish':
      return fish(bin, commands);
  }
}

/** After these words comes one of those: every prefix of a command's name with its next words, and its flags last. */
function choices(commands: readonly CommandOutline[]): ReadonlyMap<string, readonly FlagOutline[]> {
  const found = new Map<string, FlagOutline[]>();
  const offer = (after: string, choice: FlagOutline): void => {
    const offered = found.get(after) ?? [];
    if (!offered.some(({ name }) => name === choice.name)) found.set(after, [...offered, choice]);
  };
  for (const { words, summary, flags } of commands) {
    const parts = words.split(' ');
    for (const [index, name] of parts.entries()) {
      const whole = index === parts.length - 1;
      offer(parts.slice(0, index).join(' '), { name, summary: whole ? summary : '' });
    }
    for (const flag of flags) offer(words, flag);
  }
  return found;
}

const bash = (bin: string, commands: readonly CommandOutline[]): string => `# bash completion for ${bin}
_${bin}() {
  local word typed='' longest='' choices=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    typed="\${typed:+$typed }$word"
    if _${bin}_choices "$typed" >/dev/null; then longest=$typed; fi
  done
  choices=$(_${bin}_choices "$longest")
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_${bin}_choices() {
  case $1 in
${[...choices(commands)].map(([after, next]) => `    '${after}') echo '${next.map(({ name }) => name).join(' ')}' ;;`).join('\n')}
    *) return 1 ;;
  esac
}
complete -o default -F _${bin} ${bin}
`;

const zsh = (bin: string, commands: readonly CommandOutline[]): string => `#compdef ${bin}
_${bin}() {
  local typed='' longest='' word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    typed="\${typed:+$typed }$word"
    if _${bin}_choices "$typed"; then longest=$typed; fi
  done
  _${bin}_choices "$longest"
  _describe '${bin}' choices || _files
}
_${bin}_choices() {
  case $1 in
${[...choices(commands)].map(([after, next]) => `    '${after}') choices=(${next.map(zshChoice).join(' ')}) ;;`).join('\n')}
    *) return 1 ;;
  esac
}
compdef _${bin} ${bin}
`;

const zshChoice = ({ name, summary }: FlagOutline): string => quoted(`${name.replaceAll(':', '\\:')}:${summary}`);

function fish(bin: string, commands: readonly CommandOutline[]): string {
  const lines = [...choices(commands)].flatMap(([after, next]) =>
    next.map((choice) => `complete -c ${bin} ${fishCondition(after, next)} ${fishChoice(choice)}`),
  );
  return `# fish completion for ${bin}\n${lines.join('\n')}\n`;
}

function fishCondition(after: string, next: readonly FlagOutline[]): string {
  if (after === '') return '-n __fish_use_subcommand';
  const seen = after.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const words = next.map(({ name }) => name).filter((name) => !name.startsWith('-'));
  const not = words.length > 0 ? [`not __fish_seen_subcommand_from ${words.join(' ')}`] : [];
  return `-n ${quoted([...seen, ...not].join('; and '))}`;
}

const fishChoice = ({ name, summary }: FlagOutline): string =>
  name.startsWith('--')
    ? `-l ${name.slice(2)} -d ${quoted(summary)}`
    : `-a ${quoted(name)} -d ${quoted(summary)}${name.startsWith('-') ? '' : ' -f'}`;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
