import pLimit, { type LimitFunction } from 'p-limit';

/** Connections to jump hosts: each is made when it is needed first, and again after it was lost. */
export interface Ways<Way, Jump> {
  /**
   * Has `work` log in over the last jump host of a way, a few at a time. What making the connection to it fails with is
   * handed to `lost`, whose answer is thrown.
   */
  over<T>(way: Way, lost: (error: unknown) => unknown, work: (jump: Jump) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A way is plain data: two that are alike are one. `begin` connects to the last jump host of a way. */
export const openWays = <Way, Jump extends { closed(): boolean; close(): Promise<void> }>(
  begin: (way: Way) => Promise<Jump>,
): Ways<Way, Jump> => {
  const ways = new Map<string, Entry<Jump>>();

  const entryOf = (way: Way): Entry<Jump> => {
    const key = JSON.stringify(way);
    const entry = ways.get(key) ?? { limit: pLimit(loginsAtOnce), connection: undefined };
    ways.set(key, entry);
    return entry;
  };

  const connected = async (entry: Entry<Jump>, way: Way): Promise<Jump> => {
    const known = await entry.connection?.catch(() => undefined);
    if (known && !known.closed()) return known;
    // Another host may have begun anew meanwhile.
    entry.connection = entry.connecting ??= begin(way).finally(() => {
      entry.connecting = undefined;
    });
    return entry.connection;
  };

  return {
    async over(way, lost, work) {
      const entry = entryOf(way);
      const jump = () => connected(entry, way).catch((error: unknown) => Promise.reject(lost(error)));
      // Those that wait for their turn would meet the same failure one after the other.
      await jump();
      return entry.limit(async () => work(await jump()));
    },
    async close() {
      // Those behind others first: they end in an orderly way only over what still stands.
      const open = [...ways].sort(([a], [b]) => b.length - a.length);
      for (const [, { connection }] of open) await connection?.then((each) => each.close()).catch(() => {});
    },
  };
};

interface Entry<Jump> {
  readonly limit: LimitFunction;
  connection?: Promise<Jump> | undefined;
  connecting?: Promise<Jump> | undefined;
}

/** OpenSSH begins to refuse logins at ten that are not finished (MaxStartups); hosts behind NAT may share one sshd. */
const loginsAtOnce = 6;
