import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boolean } from '@oclif/core/flags';
import type { FlagInput, Input } from '@oclif/core/interfaces';
import { parse } from '@oclif/core/parser';
import { describe, expect, it } from 'vitest';
import { separateRemoteCommand } from '../src/cli/separate-remote-command.js';
import { readPage, wordsOf } from './support/page.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const filesBelow = (folder: string, ends: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ends))
    .map((path) => `${folder}/${path}`);

const written = [...filesBelow('docs', '.md'), 'README.md'].flatMap((page) =>
  readPage(page)
    .commands.filter((command) => command.startsWith('kbs '))
    .map((command) => ({ page, command })),
);

it('pages tell what to run', () => {
  expect(written.length).toBeGreaterThan(80);
});

it.each(written)('$page: $command is a command that kbs takes', ({ command }) => taken(command));

describe('the examples of', () => {
  it.each(filesBelow('src/commands', '.ts'))('%s are commands that kbs takes', async (file) => {
    const { examples = [] } = await classIn(join(root, file));
    expect(examples.length).toBeGreaterThan(0);
    const ofKbs = examples.filter((example) => example.startsWith('<%= config.bin %> '));
    for (const example of ofKbs) await taken(example.replace('<%= config.bin %>', 'kbs').replace(/ +# .*/, ''));
  });
});

/** Parses a command line as oclif does: an unknown command, flag, value or argument throws. */
const taken = async (command: string): Promise<void> => {
  const [, ...words] = wordsOf(command);
  const length = words.findLastIndex((_, index) => existsSync(fileOf(words.slice(0, index + 1)))) + 1;
  expect(length, `there is no command in: ${command}`).toBeGreaterThan(0);
  const { flags, baseFlags, args = {}, strict = true } = await classIn(fileOf(words.slice(0, length)));
  const all: FlagInput = withoutFiles({ ...baseFlags, ...flags, json: boolean() });
  const isRemote = words.slice(0, length).at(-1) === 'ssh';
  const argv = words.slice(length);
  await parse(isRemote ? separateRemoteCommand(argv, all) : [...argv], {
    flags: all,
    args: withoutFiles(args),
    strict,
  });
};

/** Files that a command reads need not be there. */
const withoutFiles = <T extends object>(inputs: T): T =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, { ...input, exists: false }])) as T;

const fileOf = (words: readonly string[]): string => `${join(root, 'src/commands', ...words)}.ts`;

type CommandClass = Input<FlagInput, FlagInput, Record<string, never>> & { readonly examples?: readonly string[] };

const classIn = async (file: string): Promise<CommandClass> =>
  // What oclif loads is the default export of the file.
  ((await import(file)) as { readonly default: CommandClass }).default;
