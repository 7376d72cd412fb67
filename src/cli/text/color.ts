import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** Puts a style on a text, or leaves the text as it is where colours are not wanted. */
export type Colors = (style: Style, text: string) => string;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export const plain: Colors = (_style, text) => text;

/**
 * Marks where a style begins and ends. `printable` makes colours of the marks, and of nothing else: an escape sequence
 * in a text that came from a host is never one of them, as the marks hold a random number of this process.
 */
export const coloured: Colors = (style, text) => {
  const [begin, end] = inspect.colors[style] ?? [0, 0];
  return `${mark}${begin};${text}${mark}${end};`;
};

const mark = `\u001b<${randomBytes(12).toString('hex')}>`;

/** The marks of `coloured` in a text; the group is the number of the SGR sequence (ECMA-48, 8.3.117). */
export const colorMarks = `${mark}(\\d+);`;

/** Colours for a terminal that has them. NO_COLOR, and `--no-color` which sets it, turn them off. */
export const colorsFor = (stream: NodeJS.WriteStream): Colors =>
  stream.isTTY && !process.env.NO_COLOR && stream.hasColors() ? coloured : plain;
