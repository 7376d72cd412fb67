import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit } from '../engine/event.js';
import { Failure } from '../failure.js';
import { mutation, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, sh } from '../hosts/shell.js';
import type { ApiHost } from './api-host.js';
import { type Budget, type Pod, type PodToEvict, podsToEvict } from './evictable-pods.js';

export interface Drain {
  readonly node: string;
  readonly phase: string;
  readonly apiHost: ApiHost;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly timeoutSeconds: number;
  /** Also evicts pods that nobody makes again; deletes what is left when the time is up, past its budgets. */
  readonly force: boolean;
}

/**
 * Empties a node: no new pods come, and those that are there are evicted, so that budgets are kept. What it waits for
 * is said as gates while it waits; kubectl giving up early, such as for an API server that restarts, is no answer. Gives the number of pods that had to move. Throws `timeout` with what still holds
 * when the time is up; the node then stays closed to new pods.
 */
export const drain = async (task: Drain): Promise<number> => {
  const { node, apiHost, signal } = task;
  const there = await apiHost.host.query(
    query(sh`${raw(apiHost.kubectl)} get node ${node} -o name --ignore-not-found`),
  );
  if (there.code === 0 && there.stdout.trim() === '') return 0;
  const before = await evictablePods(task);
  const flags = `--ignore-daemonsets --delete-emptydir-data${task.force ? ' --force' : ''}`;
  const attempt = (more: string, seconds: number) =>
    watched(task, `${sh`${raw(apiHost.kubectl)} drain ${node}`} ${flags}${more} --timeout=${seconds}s`);
  const deadline = Date.now() + task.timeoutSeconds * 1000;
  let evicted = await attempt('', task.timeoutSeconds);
  while (evicted.code !== 0 && Date.now() < deadline) {
    await sleep(1000, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw stopped(node);
    // To kubectl, zero means for ever.
    evicted = await attempt('', Math.max(1, Math.ceil((deadline - Date.now()) / 1000)));
  }
  if (evicted.code === 0) return before.length;
  if (signal.aborted) throw stopped(node);
  if (task.force) {
    const forced = await attempt(' --disable-eviction', task.timeoutSeconds);
    if (forced.code === 0) return before.length;
  }
  const left = await evictablePods(task);
  throw new Failure('timeout', `the pods of ${node} did not leave it within ${task.timeoutSeconds} s`, {
    where: { host: node, phase: task.phase },
    why:
      left.length > 0 ? left.map(({ waitsUntil }) => `still waited for: ${waitsUntil}`) : lastLines(evicted.stderr, 5),
    next: `make room for them, or delete them past their budgets with --force; ${node} takes no new pods until: kubectl uncordon ${node}`,
  });
};

/** The pods that a node would have to lose; empty where there is no such node. */
export const evictablePods = async ({
  node,
  apiHost,
}: Pick<Drain, 'node' | 'apiHost'>): Promise<readonly PodToEvict[]> => {
  const { code, stdout, stderr } = await apiHost.host.query(
    query(`${sh`${raw(apiHost.kubectl)} get pods -A --field-selector ${`spec.nodeName=${node}`} -o json`}
printf '\\036'
${apiHost.kubectl} get poddisruptionbudgets -A -o json`),
    { timeout: 60_000 },
  );
  const [pods = '', budgets = ''] = stdout.split('\x1e');
  if (code !== 0) {
    throw new Failure('refused', `the API server does not say which pods are on ${node}`, {
      where: { host: apiHost.at.name },
      why: lastLines(stderr, 3),
      next: 'see how it is: kbs status',
    });
  }
  return podsToEvict(itemsOf<Pod>(pods), itemsOf<Budget>(budgets));
};

/** What the API server gives is what its documentation says. */
const itemsOf = <T>(json: string): readonly T[] => (JSON.parse(json) as { readonly items: readonly T[] }).items;

/** Runs kubectl, and looks every two seconds at what it is waiting for. */
const watched = async (task: Drain, script: string) => {
  const { apiHost, emit, node, phase, signal, timeoutSeconds } = task;
  const over = new AbortController();
  const running = apiHost.host
    .mutate(mutation(`${script} </dev/null >/dev/null`), { timeout: (timeoutSeconds + 60) * 1000, signal })
    .finally(() => over.abort());
  const shown = new Map<string, number>();
  const show = (left: readonly PodToEvict[]): void => {
    const now = new Set(left.map(({ waitsUntil }) => waitsUntil));
    for (const [gate, begun] of shown) {
      if (now.has(gate)) continue;
      shown.delete(gate);
      emit({ type: 'gate', host: node, phase, gate, state: 'done', ms: Date.now() - begun });
    }
    for (const gate of now) {
      if (shown.has(gate)) continue;
      shown.set(gate, Date.now());
      emit({ type: 'gate', host: node, phase, gate, state: 'started' });
    }
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      await sleep(2000, undefined, { signal: over.signal }).catch(() => {});
      // What cannot be seen now is seen later; the eviction goes on all the same.
      if (!over.signal.aborted) show(await evictablePods(task).catch(() => []));
    }
  })();
  const output = await running;
  await watching;
  if (output.code === 0) show([]);
  return output;
};

const stopped = (node: string): Failure =>
  new Failure('interrupted', `interrupted while ${node} was emptied`, {
    where: { host: node },
    next: `run the same command again, or let it take pods again: kubectl uncordon ${node}`,
  });
