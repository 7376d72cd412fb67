import { openPool, type Pool, type PoolOptions } from '../../hosts/pool.js';

/** How connections are opened: over SSH or locally, unless a test has hosts of its own. */
export type OpenPool = (options: PoolOptions) => Pool;

/** Opens connections for `work` and closes them after it, whatever becomes of it. */
export const withPool = async <T>(
  acceptNewHostKeys: boolean,
  work: (pool: Pool) => Promise<T>,
  open: OpenPool = openPool,
): Promise<T> => {
  const pool = open({ acceptNewHostKeys });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
};

/** Connections whose questions for passphrases and passwords are asked `within`: for a command that draws on the terminal. */
export const askingWithin =
  (within: <T>(ask: () => Promise<T>) => Promise<T>): OpenPool =>
  (options) =>
    openPool({ ...options, onTerminal: within });
