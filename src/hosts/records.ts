import { raw, type Script, sh } from './shell.js';

/**
 * How one script gives several outputs: the ASCII record separator (036) stands between them. Programs that kbs asks do
 * not print it.
 */

/** Prints the separator. */
export const separator = sh`printf '\\036'`;

/** Runs scripts one after the other, with the separator between their outputs; `splitRecords` gives one text for each. */
export const asRecords = (...scripts: readonly Script[]): Script =>
  scripts.reduce((all, one) => sh`${raw(all)}\n${raw(separator)}\n${raw(one)}`);

/** The outputs of a script of `asRecords`. A script that ended early gives fewer. */
export const splitRecords = (stdout: string): readonly string[] => stdout.split('\x1e');

/** Prints a line that tells the reader of a running script how far it has come; `readMark` reads it. */
export const mark = (name: string | number): Script => sh`printf '\\036%s\\n' ${name}`;

/** The name in a line that `mark` printed, undefined for any other line. */
export const readMark = (line: string): string | undefined => (line.startsWith('\x1e') ? line.slice(1) : undefined);
