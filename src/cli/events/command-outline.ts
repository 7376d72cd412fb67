import type { CommandOutline } from '../text/completion-text.js';

/** A command as the loaded configuration describes it, with or without its code. */
interface Described {
  readonly id: string;
  readonly hidden: boolean;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly flags: Readonly<Record<string, { hidden?: boolean | undefined; summary?: string; description?: string }>>;
}

/** What may be typed, as a completion needs it: the visible commands and flags, in the order of the alphabet. */
export const outlinesOf = (commands: readonly Described[]): readonly CommandOutline[] =>
  commands
    .filter(({ hidden }) => !hidden)
    .map((command) => ({
      words: command.id.replaceAll(':', ' '),
      summary: firstLine(command.summary ?? command.description),
      flags: flagsOf(command),
    }))
    .sort((one, other) => one.words.localeCompare(other.words));

const flagsOf = ({ flags }: Described) =>
  Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([name, { summary, description }]) => ({ name: `--${name}`, summary: firstLine(summary ?? description) }));

const firstLine = (text = ''): string => text.split('\n')[0] ?? '';
