import { openPool, type Pool } from '../../hosts/pool.js';

/** Opens connections for `work` and closes them after it, whatever becomes of it. */
export const withPool = async <T>(acceptNewHostKeys: boolean, work: (pool: Pool) => Promise<T>): Promise<T> => {
  const pool = openPool({ acceptNewHostKeys });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
};
