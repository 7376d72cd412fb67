import { Failure } from '../failure.js';

/**
 * Does work that writes at a path which the user named. What the system answers to writing (no such folder, no
 * permission, a full disk) is the user's to repair; every other error passes.
 */
export const withWriteErrors = async <T>(path: string, next: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new Failure('usage', `${path} cannot be written`, { why: [cause.message], next, cause });
  }
};
