/**
 * How a script travels: `sh -c` is given a reader, which takes that many bytes of script from stdin and runs them.
 * So neither the script nor its secrets are ever in argv, and what follows on stdin are the payloads.
 *
 * It runs nothing unless the script begins with its mark, which is new for each script: what a login shell runs first,
 * such as a .bashrc with `read`, may have read a part of stdin, and the rest is another script. No quote, backslash or
 * exclamation mark is in it: within single quotes fish and csh read these in ways of their own.
 */
export const bootstrapCommand = ({ mark, bytes }: Frame): string =>
  `kbs_script=$(head -c ${bytes.length}); case $kbs_script in "${opening(mark)}"*) eval "$kbs_script";; *) echo "${swallowed}" >&2; exit 1;; esac`;

/** A script as it goes over the wire. */
export interface Frame {
  readonly mark: string;
  readonly bytes: Buffer;
}

/** What the reader says of a script whose beginning is missing. */
export const swallowed = 'kbs: the beginning of the script did not arrive';

/**
 * Frames a script: with its mark, the environment that every script may count on, a first line of output that marks
 * where the script's own output begins, and braces around the script. `mark` is a word that no other script has.
 *
 * The braces are there for a connection that dies half way: a shell runs what it reads line by line, and half of
 * `rm -rf /var/lib/old` is a disaster. A group without its closing brace is a syntax error, and nothing of it runs. There
 * are two, so that the output begins also where the script itself is a syntax error.
 */
export const frame = (script: string, mark: string): Frame => ({
  mark,
  bytes: Buffer.from(`${opening(mark)} { ${environment}; printf '\\001kbs %s\\n' "$$"; }\n{ :\n${script}\n\n}\n`),
});

const opening = (mark: string): string => `: kbs ${mark};`;

const environment = `unset kbs_script; set -eu; umask 022; cd /; export LC_ALL=C PATH=${[
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
].join(':')}`;

/** Finds the first line of a framed script in stdout: the shell's process id, and where the script's own output begins. */
export function parseHeader(stdout: Buffer): { readonly pid: number; readonly end: number } | undefined {
  const start = stdout.indexOf('\u0001kbs ');
  const end = start < 0 ? -1 : stdout.indexOf('\n', start);
  if (end < 0) return undefined;
  return { pid: Number(stdout.subarray(start + 5, end).toString()), end: end + 1 };
}

/** Shell that sends SIGTERM to the process group of a script that is still running, whichever user it runs as. */
export const killGroupScript = (pid: number): string =>
  `read -r _ _ _ _ group _ < /proc/${pid}/stat && kill -TERM "-$group"`;
