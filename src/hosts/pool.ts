import pLimit, { type LimitFunction } from 'p-limit';
import type { SshSettings } from '../inventory/cluster.js';
import type { Host, Output, Payload, RunOptions } from './host.js';
import { interrupted, runScript, type Spawn } from './script/run.js';
import { type Connector, type ConnectorOptions, openConnector } from './ssh/connector.js';

/** Which machine, and how to get there. A `ClusterHost` is one. */
export interface Target {
  /** Unique in the pool. */
  readonly name: string;
  readonly ssh: SshSettings;
}

export interface PoolOptions extends ConnectorOptions {
  /** How many connections are being made at the same time; 16 when absent. */
  readonly parallel?: number;
}

/** All connections of one run: one per host, made when it is first needed, made again after it was lost. */
export interface Pool {
  /** A host by its target. Nothing is contacted until it is asked something. */
  host(target: Target): Host;
  /** Connects now. Throws the Failure that a first command would throw. */
  connect(target: Target): Promise<void>;
  /** How many commands each host was given so far, by name. */
  commands(): ReadonlyMap<string, number>;
  /** Ends all connections; nothing can be asked any more. */
  close(): Promise<void>;
}

export function openPool(options: PoolOptions = {}): Pool {
  const sessions = new Map<string, Promise<Session>>();
  const commands = new Map<string, number>();
  const connecting = pLimit(options.parallel ?? 16);
  const upload = pLimit(uploads);
  const connector = openConnector(options);
  let open = true;

  async function session(target: Target): Promise<Session> {
    if (!open) throw new Error(`the pool is closed, and ${target.name} was asked for`);
    const pending = sessions.get(target.name) ?? begin(target);
    const session = await pending;
    if (!session.closed()) return session;
    forget(target.name, pending);
    return sessions.get(target.name) ?? begin(target);
  }

  function begin(target: Target): Promise<Session> {
    const beginning = connecting(() => makeSession(target, connector));
    sessions.set(target.name, beginning);
    beginning.catch(() => forget(target.name, beginning));
    return beginning;
  }

  /** Only what is still there: another caller may have begun anew already. */
  function forget(name: string, session: Promise<Session>): void {
    if (sessions.get(name) === session) sessions.delete(name);
  }

  async function run(target: Target, script: string, payloads: readonly Payload[], asked: RunOptions = {}) {
    const { name } = target;
    const { start, limit } = await unlessAborted(name, session(target), asked.signal);
    const go = (): Promise<Output> => {
      commands.set(name, (commands.get(name) ?? 0) + 1);
      return runScript(start, { host: name, script, payloads }, asked);
    };
    return limit(() => (payloads.some((payload) => 'file' in payload) ? upload(go) : go()));
  }

  return {
    host: (target) => ({
      name: target.name,
      query: ({ script }, asked) => run(target, script, [], asked),
      mutate: ({ script, payloads }, asked) => run(target, script, payloads, asked),
    }),
    connect: async (target) => void (await session(target)),
    commands: () => commands,
    async close() {
      open = false;
      const closing = [...sessions.values()].map(async (session) => (await session).close());
      await Promise.allSettled(closing);
      await connector.close();
    },
  };
}

interface Session {
  readonly start: Spawn;
  /** Bounds how many commands run at once. */
  readonly limit: LimitFunction;
  closed(): boolean;
  close(): Promise<void>;
}

async function makeSession({ name, ssh: written }: Target, connector: Connector): Promise<Session> {
  const ssh = await connector.complete(name, written);
  if (ssh.transport === 'local') {
    // Only a run that needs it pays for what it brings along.
    const { spawnLocally } = await import('./local.js');
    return {
      start: spawnLocally(name, ssh.become, connector.secrets),
      limit: pLimit(channels),
      closed: () => false,
      close: async () => {},
    };
  }
  return { ...(await connector.connect(name, ssh)), limit: pLimit(channels) };
}

/** How many commands that bring files run at the same time, on all hosts together. */
const uploads = 8;

/** OpenSSH allows ten sessions per connection and counts finished ones a while longer; five never met its limit. */
const channels = 5;

function unlessAborted<T>(host: string, promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(interrupted(host));
    if (signal.aborted) abort();
    const following = AbortSignal.any([signal]);
    following.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => following.removeEventListener('abort', abort));
  });
}
