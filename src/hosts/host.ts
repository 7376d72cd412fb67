import type { Script } from './shell.js';

/**
 * The seam between kbs and a machine: two verbs, and nothing else. A transport (ssh, local) implements them.
 *
 * A script is POSIX `sh` text, run as root under `set -eu`. It travels on stdin, never in argv, so it may hold
 * secrets; what is left of stdin after the script are the mutation's payloads, one after the other, which the script
 * reads with `head -c SIZE`.
 */
export interface Host extends Observer {
  mutate(mutation: Mutation, options?: RunOptions): Promise<Output>;
}

/** The half of a host that a plan is given: it can query and change nothing. */
export interface Observer {
  readonly name: string;
  query(query: Query, options?: RunOptions): Promise<Output>;
}

/** A script that changes nothing on the host. */
export interface Query {
  readonly effect: 'query';
  readonly script: Script;
}

/** A script that may change the host, and the bytes that it reads from stdin. */
export interface Mutation {
  readonly effect: 'mutation';
  readonly script: Script;
  readonly payloads: readonly Payload[];
}

/** Bytes for a mutation, as a value: in memory, or a file on this machine that the transport streams. */
export type Payload = { readonly bytes: Uint8Array } | { readonly file: string /** Bytes. */; readonly size: number };

export interface RunOptions {
  /** Milliseconds until the command is given up; a transport's own default when absent. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Called with each complete line of stdout while the command runs. */
  readonly onLine?: (line: string) => void;
}

/** What came back. A lost connection or a timeout is a thrown Failure and never an Output. */
export interface Output {
  /** Exit status; a signal counts as 128 + its number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const query = (script: Script): Query => ({ effect: 'query', script });

export const mutation = (script: Script, payloads: readonly Payload[] = []): Mutation => ({
  effect: 'mutation',
  script,
  payloads,
});
