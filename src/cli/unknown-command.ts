import type { Hook } from '@oclif/core';
import { Failure } from '../failure.js';
import { didYouMean } from '../inventory/did-you-mean.js';
import { reportError } from './error-report.js';

/** Their names are settled, so that nothing else takes them; a word of two also stands for the words below it. */
const planned = ['upgrade', 'certs', 'diagnose', 'explain', 'exec', 'inventory migrate'];

/** Reports words that name no command, with the command that was probably meant, and ends with status 2. */
const unknownCommand: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const commands = config.commands
    .filter(({ hidden }) => !hidden)
    .map((command) => ({ words: command.id.replaceAll(':', ' '), flags: Object.keys(command.flags) }));
  const failure = unknown(id.replaceAll(':', ' '), commands, config.bin);
  process.exitCode = reportError(failure, { json: argv.includes('--json'), verbose: false, interrupted: false });
};

export default unknownCommand;

interface Known {
  readonly words: string;
  readonly flags: readonly string[];
}

const unknown = (typed: string, commands: readonly Known[], bin: string): Failure => {
  const begins = (words: string): boolean => `${typed} `.startsWith(`${words} `);
  // The parser takes what follows a command without arguments for the rest of a name.
  const command = commands.find(({ words }) => begins(words));
  if (command) return noArgument(command, typed.slice(command.words.length + 1), bin);
  const later = planned.find(begins);
  if (later) {
    return new Failure('usage', `${bin} ${later} is planned and not built yet`, {
      next: `what there is: ${bin} --help`,
    });
  }
  const meant = didYouMean(
    typed,
    commands.map(({ words }) => words),
  );
  return new Failure('usage', `there is no command ${typed}`, {
    next: meant ? `did you mean ${bin} ${meant}?` : `${bin} --help lists all commands`,
  });
};

const noArgument = ({ words, flags }: Known, argument: string, bin: string): Failure =>
  new Failure('usage', `${bin} ${words} takes no argument: ${argument}`, {
    next:
      flags.includes('inventory') && /\.ya?ml$/.test(argument)
        ? `an inventory is named with -i: ${bin} ${words} -i ${argument}`
        : `see ${bin} ${words} --help`,
  });
