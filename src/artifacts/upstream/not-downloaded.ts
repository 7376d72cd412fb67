import { Failure, Failures, failuresIn } from '../../failure.js';
import { WrongContent } from './download.js';

/** One thing that is had from the network: its name and address for messages. */
export interface Task {
  readonly name: string;
  readonly where: string;
  readonly run: () => Promise<void>;
}

/** Runs all at once. What cannot be had is named in one Failures, once the others have ended; an abort ends with its reason. */
export const allOf = async (
  tasks: readonly Task[],
  {
    signal,
    onDone,
  }: { readonly signal?: AbortSignal | undefined; readonly onDone: (name: string, n: number, of: number) => void },
): Promise<void> => {
  let done = 0;
  const ended = await Promise.all(
    tasks.map(({ name, where, run }) =>
      run().then(
        () => onDone(name, ++done, tasks.length),
        (error: unknown) => notDownloaded(name, where, error),
      ),
    ),
  );
  signal?.throwIfAborted();
  const failures = ended.filter((each) => each !== undefined);
  if (failures.length > 0) throw new Failures(failures);
};

/** `resource`: its address. */
export const notDownloaded = (name: string, resource: string, error: unknown): Failure =>
  failuresIn(error)[0] ??
  new Failure('preflight', `${name} could not be downloaded`, {
    where: { resource },
    why: [error instanceof Error ? error.message : String(error)],
    next:
      error instanceof WrongContent
        ? 'find out why the address has another content: nothing of it was kept'
        : 'run the same command again once the reason is gone: what arrived is kept; a mirror is named by `artifacts.mirrors` in the inventory, or `--mirror`',
    cause: error,
  });
