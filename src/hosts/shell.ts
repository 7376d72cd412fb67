/** One word for a POSIX shell: safe characters as they are, anything else in single quotes. */
export const quote = (word: string | number): string => {
  const text = String(word);
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
};

/**
 * Shell that reads a payload of that many bytes into a file, and fails where the input ended before it was whole:
 * a connection that dies looks like the end of input, and half of a file must not be put in place.
 */
export const receive = (size: number, path: string): string =>
  sh`head -c ${size} > ${path}; [ "$(wc -c < ${path})" -eq ${size} ]`;

/**
 * A template tag for shell text: what is interpolated is quoted, what is written is not.
 * Arrays become several quoted words; `raw` text is left alone.
 */
export const sh = (strings: TemplateStringsArray, ...values: readonly Word[]): string =>
  String.raw({ raw: strings }, ...values.map(word));

/**
 * Shell: whole seconds since the boot, for deadlines. A machine that has just booted may have its clock set meanwhile.
 */
export const uptime = '$(cut -d . -f 1 /proc/uptime)';

/** Shell text that was quoted already, for use inside `sh`. */
export const raw = (text: string): RawShell => ({ raw: text });

export interface RawShell {
  readonly raw: string;
}
type Word = string | number | RawShell | readonly (string | number)[];

const word = (value: Word): string => {
  if (typeof value === 'object') return 'raw' in value ? value.raw : value.map(quote).join(' ');
  return quote(value);
};
