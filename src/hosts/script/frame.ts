/**
 * How a script travels: `sh -c` is given a reader, which takes that many bytes of script from stdin and runs them.
 * So neither the script nor its secrets are ever in argv, and what follows on stdin are the payloads.
 */
export const bootstrapCommand = (size: number): string => `eval "$(head -c ${size})"`;

/**
 * A script as it goes over the wire: with the environment that every script may count on, a first line of output that
 * marks where the script's own output begins, and braces around the script.
 *
 * The braces are there for a connection that dies half way: a shell runs what it reads line by line, and half of
 * `rm -rf /var/lib/old` is a disaster. A group without its closing brace is a syntax error, and nothing of it runs.
 */
export const frame = (script: string): Buffer =>
  Buffer.from(`${environment}; printf '\\001kbs %s\\n' "$$"\n{ :\n${script}\n\n}\n`);

const environment = `set -eu; umask 022; cd /; export LC_ALL=C PATH=${[
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
