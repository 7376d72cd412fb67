import type { Hook } from '@oclif/core';
import { Failure } from '../failure.js';
import { nearest } from '../inventory/nearest.js';
import { reportEnd } from './report-end.js';

/** What is said where the words name no command: the one that was perhaps meant, and status 2. */
const unknownCommand: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const typed = id.replaceAll(':', ' ');
  const visible = config.commands.filter(({ hidden }) => !hidden).map((command) => command.id.replaceAll(':', ' '));
  const meant = nearest(typed, visible);
  const next = meant ? `did you mean ${config.bin} ${meant}?` : `${config.bin} --help lists all commands`;
  const failure = new Failure('usage', `there is no command ${typed}`, { next });
  process.exitCode = reportEnd(failure, { json: argv.includes('--json'), verbose: false, interrupted: false });
};

export default unknownCommand;
