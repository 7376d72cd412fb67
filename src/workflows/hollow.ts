import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { archOfThisMachine } from '../artifacts/arch.js';
import { buildProgram } from '../artifacts/build/go-modules.js';
import { kwokProgram, kwokStagesProgram } from '../artifacts/build/kwok.js';
import { cacheFolder } from '../artifacts/cache.js';
import { run } from '../artifacts/command.js';
import { Failure } from '../failure.js';
import { mutation, type Output, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, type Script, sh } from '../hosts/shell.js';
import { apiServerPort, type Cluster } from '../inventory/cluster.js';
import { type ApiHost, selectApiHost } from '../kubernetes/api-host.js';
import { hollowLog, startHollowNodes, stopHollowNodes } from '../lab/index.js';
import { kubeconfigPath, readKubeconfig } from './kubeconfig.js';
import { loadCluster } from './load-cluster.js';
import { withPool } from './run/pool.js';

/** No host is behind such a Node: its kubelet is played by a program of this machine. */
const hollow = 'kbs.dev/hollow';

/**
 * Gives the cluster of a lab this many hollow nodes, none with 0: Node objects with leases and a taint that keeps
 * ordinary pods away, without a machine. Refused where the cluster is not up.
 */
export const setHollowNodes = async (file: string, count: number, say: (text: string) => void): Promise<void> => {
  const loaded = await loadCluster(file);
  const { cluster } = loaded;
  await readKubeconfig(loaded);
  await withPool(false, async (pool) => {
    const api = await selectApiHost(cluster, pool);
    const there = await hollowNodesAt(api);
    const wanted = Array.from({ length: count }, (_, index) => `hollow-${String(index + 1).padStart(4, '0')}`);
    if (count > 0) {
      const { kwok, stages } = await programs(say);
      await startHollowNodes(cluster.name, {
        ...{ kwok, stages, kubeconfig: kubeconfigPath(loaded) },
        server: serverOf(cluster, api),
        label: `${hollow}=true`,
      });
    }
    const nodes = wanted.filter((name) => !there.includes(name)).map(nodeObject);
    if (nodes.length > 0) {
      say(`creating ${nodes.length} hollow nodes`);
      await change(api, sh`${raw(api.kubectl)} create -f - >/dev/null`, JSON.stringify(listOf(nodes)));
    }
    const surplus = there.filter((name) => !wanted.includes(name));
    if (surplus.length > 0) {
      say(`deleting ${surplus.length} hollow nodes`);
      await change(api, sh`xargs ${raw(api.kubectl)} delete node --wait=false >/dev/null`, surplus.join('\n'));
    }
    if (count === 0) await stopHollowNodes(cluster.name);
    else await requireReady(api, wanted[0] ?? '', hollowLog(cluster.name));
  });
};

const serverOf = ({ endpoint: { address, port } }: Cluster, { at }: ApiHost): string =>
  address === undefined ? `https://${at.address}:${apiServerPort}` : `https://${address}:${port}`;

/** One node for all: the process that plays them either reaches the API server or does not. */
const requireReady = async ({ host, at, kubectl }: ApiHost, name: string, log: string): Promise<void> => {
  const wait = sh`${raw(kubectl)} wait --for=condition=Ready ${`node/${name}`} --timeout=90s`;
  const { code, stderr } = await host.query(query(wait), { timeout: 120_000 });
  if (code === 0) return;
  throw new Failure('refused', `hollow nodes did not become Ready within 90 s`, {
    where: { host: at.name, resource: `node/${name}`, command: 'kubectl wait' },
    why: lastLines(stderr, 3),
    next: `see what kwok says: ${log}`,
  });
};

/** Two small programs that are built once, from kwok's module, into the cache. */
const programs = async (say: (text: string) => void): Promise<{ readonly kwok: string; readonly stages: string }> => {
  const context = { cache: join(cacheFolder(), 'build'), arch: archOfThisMachine() };
  await mkdir(context.cache, { recursive: true });
  say('kwok plays the kubelets; where the cache lacks it, it is built now (about two minutes)');
  const kwok = await buildProgram(kwokProgram, context);
  const stages = await buildProgram(kwokStagesProgram, context);
  return { kwok: kwok.file, stages: await run("print kwok's stages", stages.file, []) };
};

const hollowNodesAt = async ({ host, at, kubectl }: ApiHost): Promise<readonly string[]> => {
  const output = await host.query(
    query(sh`${raw(kubectl)} get nodes --selector ${`${hollow}=true`} -o jsonpath='{.items[*].metadata.name}'`),
    { timeout: 60_000 },
  );
  return answered(output, at.name, 'kubectl get nodes').split(' ').filter(Boolean);
};

/** Runs a script that reads the whole of a text from its stdin. */
const change = async ({ host, at }: ApiHost, script: Script, text: string): Promise<void> => {
  const bytes = Buffer.from(text);
  const output = await host.mutate(mutation(sh`head -c ${bytes.length} | ${raw(script)}`, [{ bytes }]), {
    timeout: 300_000,
  });
  answered(output, at.name, script);
};

const answered = ({ code, stdout, stderr }: Output, host: string, command: string): string => {
  if (code === 0) return stdout;
  throw new Failure('refused', 'the API server refused hollow nodes', {
    where: { host, command },
    why: lastLines(stderr, 3),
    next: 'see whether the cluster is healthy: kbs status',
  });
};

const listOf = (items: readonly unknown[]) => ({ apiVersion: 'v1', kind: 'List', items });

/** As large as a machine that a scheduler would fill with 110 pods. */
const nodeObject = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: { [hollow]: 'true', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
  },
  spec: { taints: [{ key: hollow, value: 'true', effect: 'NoSchedule' }] },
  status: {
    capacity: { cpu: '16', memory: '64Gi', pods: '110' },
    allocatable: { cpu: '16', memory: '64Gi', pods: '110' },
  },
});
