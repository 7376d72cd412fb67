import { styleText } from 'node:util';

/** Puts a style on a text, or leaves the text as it is where colours are not wanted. */
export type Colors = (style: Style, text: string) => string;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export const plain: Colors = (_style, text) => text;

// styleText of Node 20 asks stdout by itself whether it takes colours; the stream that counts is the caller's.
export const coloured: Colors = (style, text) => styleText(style, text, { validateStream: false });

/** Colours for a terminal that has them. NO_COLOR, and `--no-color` which sets it, turn them off. */
export const colorsFor = (stream: NodeJS.WriteStream): Colors =>
  stream.isTTY && !process.env.NO_COLOR && stream.hasColors() ? coloured : plain;
