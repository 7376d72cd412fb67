import { bidi, escaped, obeyed, onOneLine } from '../../visible.js';
import { colorMarks } from './color.js';

/**
 * A text as a terminal may get it. Much of what kbs prints comes from hosts, from whatever answers on port 22, and from
 * inventories; so every character that a terminal obeys becomes a visible escape, as in `visible`. Newlines, tabs and the
 * colours that kbs itself chose stay.
 */
export const printable = (text: string): string =>
  text.replace(colorsAndControls, (found, color: string | undefined) =>
    color === undefined ? escaped(found) : `\u001b[${color}m`,
  );

/** The same for a part of one line of output. */
export const oneLine = (text: string): string => onOneLine(printable(text.trimEnd()));

/** A value as JSON without a character that a terminal obeys: JSON leaves C1, DEL and the turns of direction as they are. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(
    obeyedInJson,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const colorsAndControls = new RegExp(`${colorMarks}|${obeyed}`, 'g');

const obeyedInJson = new RegExp(`[\\x7f-\\x9f${bidi}]`, 'g');
