import { PassThrough, type Readable } from 'node:stream';

/**
 * The exit status of ssh is that of the command, or 255 where ssh itself failed; and a command that a signal ends has none
 * at all over a control socket. So the command is started by a shell that writes a mark into stderr when it begins, turns
 * signals into exit statuses, and writes the mark again after a command that ended with 255 itself.
 *
 * No quote, backslash or exclamation mark is in it: within single quotes fish and csh read these in ways of their own.
 */
export const reporting = (mark: string, command: string): string =>
  `sh -c 'echo ${mark} >&2; "$@"; kbs_code=$?; [ $kbs_code -ne 255 ] || echo ${mark} >&2; exit $kbs_code' kbs ${command}`;

/** The stderr of such a command. */
export interface Report {
  /** All but the marks. */
  readonly stderr: Readable;
  /** Resolves once the command has begun; never where it does not. */
  readonly begun: Promise<void>;
  /** How many marks came: 0 without a command, 1 with one, 2 with one that ended with 255. */
  marks(): number;
  /** What came before the first mark, at most 4 KiB: a greeting, or why there is no command. */
  before(): string;
}

/** Takes the marks out of a stderr. */
export const readReport = (stderr: Readable, mark: string): Report => {
  const line = Buffer.from(`${mark}\n`);
  const out = new PassThrough();
  let rest = Buffer.alloc(0);
  let marks = 0;
  let before = '';
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });

  const give = (bytes: Buffer): void => {
    if (marks === 0) before = (before + bytes.toString()).slice(-4096);
    if (bytes.length > 0) out.write(bytes);
  };

  stderr.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(line); at >= 0; at = rest.indexOf(line)) {
      give(rest.subarray(0, at));
      rest = rest.subarray(at + line.length);
      marks++;
      begin();
    }
    // What is kept may be the beginning of a mark.
    const sure = Math.max(0, rest.length - line.length + 1);
    give(rest.subarray(0, sure));
    rest = rest.subarray(sure);
  });
  stderr.on('close', () => {
    give(rest);
    out.end();
  });
  return { stderr: out, begun, marks: () => marks, before: () => before };
};
