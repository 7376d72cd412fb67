/** Aborted by the operator's Ctrl-C or by a kill, so that what stands can still be taken down. */
export const interruption = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
};
