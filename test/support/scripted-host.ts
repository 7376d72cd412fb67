import { readFile } from 'node:fs/promises';
import { Failure } from '../../src/failure.js';
import type { Host, Output, Payload, RunOptions } from '../../src/hosts/host.js';
import type { Pool } from '../../src/hosts/pool.js';
import { interrupted } from '../../src/hosts/script/run.js';
import { checkFiles } from '../../src/hosts/script/stdin.js';

/** A script as it comes to a machine. */
export interface Script {
  readonly effect: 'query' | 'mutation';
  readonly text: string;
  /** One for each payload, in order. */
  readonly payloads: readonly Uint8Array[];
}

/** How a script ended. */
export type End = Partial<Pick<Output, 'code' | 'stderr'>>;

/** A machine: it gets a script, prints to stdout, and ends. What it throws is thrown by the host. */
export type Machine = (script: Script, print: (text: string) => void) => End | Promise<End>;

/** A host in memory. It keeps what every transport promises; what scripts do is up to its machine. */
export const scriptedHost = (name: string, machine: Machine): Host => ({
  name,
  query: ({ script }, options) => run(name, machine, { effect: 'query', text: script, payloads: [] }, [], options),
  mutate: ({ script, payloads }, options) =>
    run(name, machine, { effect: 'mutation', text: script, payloads: [] }, payloads, options),
});

const run = async (
  name: string,
  machine: Machine,
  script: Script,
  payloads: readonly Payload[],
  { signal, timeout, onLine }: RunOptions = {},
): Promise<Output> => {
  if (signal?.aborted) throw interrupted(name);
  await checkFiles(payloads);
  const received = await Promise.all(
    payloads.map(async (payload) => ('bytes' in payload ? payload.bytes : readFile(payload.file))),
  );
  let [stdout, line] = ['', ''];
  const print = (text: string) => {
    stdout += text;
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const each of lines) onLine?.(each);
  };
  const over = new AbortController();
  try {
    const { code = 0, stderr = '' } = await Promise.race([
      (async () => machine({ ...script, payloads: received }, print))(),
      expiry(name, timeout, over.signal),
      interruption(name, signal, over.signal),
    ]);
    if (line !== '') onLine?.(line);
    return { code, stdout, stderr };
  } finally {
    over.abort();
  }
};

const expiry = (name: string, timeout: number | undefined, over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (timeout === undefined) return;
    const late = () => reject(new Failure('timeout', `${name} did not finish a command`, { where: { host: name } }));
    const timer = setTimeout(late, timeout);
    over.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });

const interruption = (name: string, signal: AbortSignal | undefined, over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    // The first lines may have been printed already.
    if (signal?.aborted) reject(interrupted(name));
    signal?.addEventListener('abort', () => reject(interrupted(name)), { once: true, signal: over });
  });

/** A pool of such hosts. `machineOf` gives the machine of a name. */
export const scriptedPool = (machineOf: (name: string) => Machine): Pool => {
  const commands = new Map<string, number>();
  const counted =
    (name: string): Machine =>
    (script, print) => {
      commands.set(name, (commands.get(name) ?? 0) + 1);
      return machineOf(name)(script, print);
    };
  return {
    host: ({ name }) => scriptedHost(name, counted(name)),
    connect: async () => {},
    commands: () => commands,
    close: async () => {},
  };
};
