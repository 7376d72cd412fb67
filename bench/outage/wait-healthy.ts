import { setTimeout as sleep } from 'node:timers/promises';
import { controlPlanes, nodes } from '../../src/inventory/cluster.js';
import type { Probers } from './probers.js';
import type { Site } from './site.js';

/**
 * Waits until nothing of an outage is left: all nodes and all of kube-system's pods are Ready, each API server is
 * ready with its own etcd, and both probers had two seconds of good answers. Gives when that was first seen, in
 * milliseconds since the epoch; throws what is unhealthy after ten minutes.
 */
export const waitHealthy = async (site: Site, probers: Probers, signal: AbortSignal): Promise<number> => {
  const deadline = Date.now() + 600_000;
  for (;;) {
    signal.throwIfAborted();
    const at = Date.now();
    const unhealthy = await unhealthyParts(site, probers).catch((error: unknown) => [String(error)]);
    if (unhealthy.length === 0) return at;
    if (at > deadline) throw new Error(`still unhealthy after ten minutes: ${unhealthy.join('; ')}`);
    await sleep(1_000);
  }
};

const unhealthyParts = async (site: Site, probers: Probers): Promise<readonly string[]> => {
  const { cluster, api } = site;
  const list = async (path: string): Promise<readonly Item[]> =>
    (JSON.parse(await api.ask('GET', path, { limit: 5_000 })) as { readonly items: readonly Item[] }).items;
  const servers = await Promise.all(
    controlPlanes(cluster).map(({ name, address }) =>
      api.ask('GET', '/readyz', { limit: 5_000, address }).then(
        () => [],
        (error: unknown) => [`API server of ${name}: ${String(error)}`],
      ),
    ),
  );
  const found = new Map((await list('/api/v1/nodes')).map((node) => [node.metadata.name, isReady(node)]));
  const pods = await list('/api/v1/namespaces/kube-system/pods');
  const calls = await probers.calls(20);
  return [
    ...servers.flat(),
    ...nodes(cluster).flatMap(({ name }) => (found.get(name) ? [] : [`node ${name}`])),
    ...pods.flatMap((pod) => (isReady(pod) ? [] : [`pod ${pod.metadata.name}`])),
    ...(probers.reads.samples.slice(-20).every(({ error }) => error === undefined) ? [] : ['reads']),
    ...(probers.writes.samples.slice(-4).every(({ error }) => error === undefined) ? [] : ['writes']),
    ...(isFresh(calls.at(-1)?.at) && calls.every(({ error }) => error === undefined) ? [] : ['pod calls']),
  ];
};

/** The last answers of a caller that died may all be good ones. */
const isFresh = (at = 0): boolean => Date.now() - at < 3_000;

/** The part of a node or a pod that is read here. */
interface Item {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ status }: Item): boolean =>
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
