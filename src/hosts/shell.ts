/**
 * POSIX shell text. Only this file makes it: `sh` quotes what is interpolated, so no value becomes a command. At run
 * time it is a plain string, which can be a key, be compared and be printed.
 */
export type Script = string & { readonly [script]: true };

declare const script: unique symbol;

/**
 * A template tag for scripts: what is written stays as it is, what is interpolated becomes quoted words. An array
 * becomes several words. A script is embedded with `raw`; without it, it does not compile.
 */
export const sh = (strings: TemplateStringsArray, ...values: readonly Interpolated[]): Script =>
  String.raw({ raw: strings }, ...values.map(textOf)) as Script;

/** Embeds a script in another one. */
export const raw = (script: Script): RawScript => ({ raw: script });

export interface RawScript {
  readonly raw: Script;
}

/** A value, which is not shell. */
type Word = number | (string & { readonly [script]?: never });
type Interpolated = Word | RawScript | readonly Word[];

const textOf = (value: Interpolated): string => {
  if (typeof value !== 'object') return quote(value);
  return 'raw' in value ? value.raw : value.map((word) => quote(word)).join(' ');
};

/** One word of shell: safe characters as they are, anything else in single quotes. */
export const quote = (word: string | number): Script => {
  const text = String(word);
  return (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`) as Script;
};

/**
 * A script that kbs itself made and recorded on a host, in a file that only root there can write: it goes back to that
 * host and to no other.
 */
export const recordedScript = (text: string): Script => text as Script;

/** Scripts one after the other, each on lines of its own. */
export const lines = (...scripts: readonly Script[]): Script => scripts.join('\n') as Script;

/** Scripts with an operator or a separator between them, such as ` || `. */
export const joined = (scripts: readonly Script[], separator: ' ' | ' || ' | ' && '): Script =>
  scripts.join(separator) as Script;

/**
 * A here-document: the text reaches a command's stdin as it is. It ends the line of the command. Throws where the text
 * has a line that is the delimiter, because what follows it would be run.
 */
export const hereDocument = (text: string, delimiter: string): Script => {
  if (!/^\w+$/.test(delimiter) || text.split('\n').includes(delimiter)) {
    throw new Error(`a here-document cannot end with ${delimiter}`);
  }
  return `<<'${delimiter}'\n${text}\n${delimiter}` as Script;
};

/**
 * Reads that many bytes of stdin into a file, and fails where the input ends before: a lost connection looks like the
 * end of input, and half of a file must not be put in place.
 */
export const receive = (size: number, path: string): Script =>
  sh`head -c ${size} > ${path}; [ "$(wc -c < ${path})" -eq ${size} ]`;

/** Whole seconds since the boot, for deadlines: the clock of a machine that has just booted may be set meanwhile. */
export const uptime = sh`$(cut -d . -f 1 /proc/uptime)`;

export interface Wait {
  readonly seconds: number;
  /** Runs once when the time is over, and must leave the loop: `exit 1`, `break`. */
  readonly otherwise: Script;
  /** Seconds between two tests. */
  readonly pause?: number;
}

/** Repeats a test until it succeeds or the time is over. It runs in the same shell, so variables that it sets stay. */
export const untilTrue = (test: Script, { seconds, otherwise, pause = 0.2 }: Wait): Script =>
  sh`kbs_deadline=$(( ${raw(uptime)} + ${seconds} ))
until ${raw(test)}; do
  if [ "${raw(uptime)}" -ge $kbs_deadline ]; then ${raw(otherwise)}; fi
  sleep ${pause}
done`;
