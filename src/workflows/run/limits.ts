import { defined } from '../../defined.js';
import type { RunOptions } from '../../hosts/host.js';
import type { RunContext } from './context.js';

/** For each query of a run. */
export const limitsOf = ({ signal, timeout }: Pick<RunContext, 'signal' | 'timeout'>): RunOptions => ({
  signal,
  ...defined({ timeout }),
});
