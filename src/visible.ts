/**
 * A text without a character that a terminal obeys: every control character of C0 and C1, DEL, and every character that
 * turns the direction of writing becomes a visible escape such as `\x1b`. Newlines and tabs stay.
 */
export const visible = (text: string): string => text.replace(controls, escaped);

/** For a part of one line of output: a newline in it, too, is an escape, as it would begin a line that looks like kbs's own. */
export const onOneLine = (text: string): string => text.replaceAll('\n', '\\n');

/** Such a character as an escape. */
export const escaped = (character: string): string => {
  const code = character.charCodeAt(0);
  if (character === '\r') return '\\r';
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** Unicode's Bidi_Control characters (UAX #9), for a class of a regular expression. */
export const bidi = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';

/** A regular expression for one such character. */
export const obeyed = `[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f${bidi}]`;

const controls = new RegExp(obeyed, 'g');
