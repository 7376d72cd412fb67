import { printable, printableJson } from './text/printable.js';

/** The one door to the terminal: text on stdout or stderr, with a newline at its end, without what a terminal would obey. */
export const writeText = (stream: NodeJS.WritableStream, text: string): void => {
  stream.write(printable(text.endsWith('\n') ? text : `${text}\n`));
};

/** A value as a line of JSON, or as a document with that many spaces of indentation. */
export const writeJson = (stream: NodeJS.WritableStream, value: unknown, indent?: number): void => {
  stream.write(`${printableJson(value, indent)}\n`);
};
