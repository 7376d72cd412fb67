import { quote } from '../shell.js';

/** What the reader says of a script whose beginning is missing. */
export const swallowed = 'kbs: the beginning of the script did not arrive';

/** The bytes before a script: `kbs MARK SIZE`. */
const headerSize = 32;

/**
 * How a script travels: `sh -c` is given this reader, which takes a header and a script from stdin and runs the script.
 * So neither the script nor its secrets are ever in argv, what follows on stdin are the payloads, and the command line
 * is always the same one, which a sudo rule can name (hosts/sudoers.ts).
 *
 * It runs nothing unless the script begins with the mark of its header, which is new for each script: what a login shell
 * runs first, such as a .bashrc with `read`, may have read a part of stdin, and the rest is another script. No quote,
 * backslash or exclamation mark is in it: within single quotes fish and csh read these in ways of their own.
 */
export const reader = `set -- $(head -c ${headerSize}); kbs_script=$(head -c "\${3-0}" 2>/dev/null); case $kbs_script in ": kbs $2;"*) eval "$kbs_script";; *) echo "${swallowed}" >&2; exit 1;; esac`;

/** The command line that runs the reader; `prefix` is what makes it root, such as `sudo -n `. */
export const readerCommand = (prefix: string): string => `${prefix}/bin/sh -c ${quote(reader)}`;

/**
 * Frames a script: with its header and its mark, the environment that every script may count on, a first line of output
 * that marks where the script's own output begins, and braces around the script. `mark` is a word that no other script
 * has.
 *
 * The braces are there for a connection that dies half way: a shell runs what it reads line by line, and half of
 * `rm -rf /var/lib/old` is a disaster. A group without its closing brace is a syntax error, and nothing of it runs. There
 * are two, so that the output begins also where the script itself is a syntax error.
 */
export const frame = (script: string, mark: string): Buffer => {
  const text = `: kbs ${mark}; { ${environment}; printf '\\001kbs %s\\n' "$$"; }\n{ :\n${script}\n\n}\n`;
  const header = `kbs ${mark} ${Buffer.byteLength(text)}`.padEnd(headerSize - 1);
  return Buffer.from(`${header}\n${text}`);
};

const environment = `unset kbs_script; set -eu --; umask 022; cd /; export LC_ALL=C PATH=${[
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
