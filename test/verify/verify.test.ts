import { expect, test } from 'vitest';
import { type Host, type Mutation, mutation, type Output, type RunOptions } from '../../src/hosts/host.js';
import { raw, sh } from '../../src/hosts/shell.js';
import { nodes } from '../../src/inventory/cluster.js';
import { components } from '../../src/verify/components.js';
import { allReady } from '../../src/verify/start.js';
import { verify } from '../../src/verify/verify.js';
import { clusterOf } from '../support/cluster.js';
import { here } from '../support/here.js';

const cluster = clusterOf();
const names = nodes(cluster).map(({ name }) => name);
const [first = '', second = '', third = ''] = names;

interface Call {
  readonly effect: 'query' | 'mutation';
  readonly script: string;
  readonly options: RunOptions;
}

/** A control plane that answers each script by what it asks for, and keeps what it was asked. */
const scripted = (answer: (script: string) => Partial<Output> | Promise<never>) => {
  const calls: Call[] = [];
  const run = async ({ effect, script }: Call | Mutation | { effect: 'query'; script: string }, options = {}) => {
    calls.push({ effect, script, options });
    return { code: 0, stdout: '', stderr: '', ...(await answer(script)) };
  };
  const host: Host = { name: first, query: run, mutate: run };
  return { host, calls };
};

const wellNodes = `${names.map((name) => `${name} True KubeletReady`).join('\n')}\n\x1e\x1ereadyz check passed\n[+]etcd ok\n\x1e2026-01-01T00:00:00Z
kube-controller-manager 2026-01-01T00:00:00Z a
kube-scheduler 2026-01-01T00:00:00Z a`;

const pod = (node: string, stand: string, ready: boolean) => ({
  metadata: { name: `probe-${stand}-${node}`, labels: { 'kbs.dev/probe': stand } },
  spec: { nodeName: node },
  status: {
    phase: ready ? 'Running' : 'Pending',
    podIP: '10.244.0.9',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ state: ready ? {} : { waiting: { reason: 'ContainerCreating' } } }],
  },
});

const podsWithout = (node: string) =>
  JSON.stringify({ items: names.flatMap((name) => ['pod', 'host'].map((stand) => pod(name, stand, name !== node))) });

const answers = (script: string): Partial<Output> => {
  if (script.includes('/readyz?verbose')) return { stdout: wellNodes };
  if (script.includes('get service probe')) return { stdout: `10.254.0.7\n${podsWithout(third)}` };
  return {};
};

const options = {
  label: 'x',
  image: 'probe',
  gpuImage: 'gpu-probe',
  onStep: () => {},
  hostOf: () => scripted(answers).host,
};

test('a node without its probes is a failed result, and only the others are checked', async () => {
  const { host } = scripted(answers);
  const findings = await verify(cluster, host, options);
  expect(findings.filter(({ proof }) => proof === 'nodes Ready')).toHaveLength(names.length);
  expect(findings.filter(({ proof }) => proof === 'probes').map(({ name, ok }) => [name, ok])).toEqual([
    [first, true],
    [second, true],
    [third, false],
  ]);
  expect(findings.find(({ proof, name }) => proof === 'probes' && name === third)?.detail).toBe(
    "in a pod: Pending, ContainerCreating; in the host's network: Pending, ContainerCreating",
  );
  const talks = findings.filter(({ proof }) => proof === 'pod to pod').map(({ name }) => name);
  expect(talks).not.toHaveLength(0);
  expect(talks.filter((name) => name.includes(third))).toEqual([]);
});

test('every step but the cleanup gets the signal and the timeout', async () => {
  const { host, calls } = scripted(answers);
  const limits = { signal: new AbortController().signal, timeout: 1234 };
  await verify(cluster, host, { ...options, limits });
  const last = calls.pop();
  expect(calls.map((call) => call.options)).toEqual(calls.map(() => limits));
  expect(last?.script).toContain('delete namespace kbs-verify-x');
  expect(last?.options.signal).toBeUndefined();
});

test('an interrupted verify deletes its probes', async () => {
  const stop = new AbortController();
  const { host, calls } = scripted((script) => {
    if (!script.includes('apply')) return answers(script);
    stop.abort();
    return Promise.reject(new Error('interrupted'));
  });
  await expect(verify(cluster, host, { ...options, limits: { signal: stop.signal } })).rejects.toThrow('interrupted');
  expect(calls.at(-1)?.script).toContain('delete namespace kbs-verify-x');
});

test('results stay where the probes cannot be deleted', async () => {
  const said: string[] = [];
  const { host } = scripted((script) =>
    script.includes('--ignore-not-found') ? Promise.reject(new Error('the host died')) : answers(script),
  );
  const findings = await verify(cluster, host, { ...options, onStep: (text) => said.push(text) });
  expect(findings.some(({ proof }) => proof === 'DNS')).toBe(true);
  expect(said.at(-1)).toContain('the host died');
});

test('probes of an earlier run are deleted before new ones are made', async () => {
  const { host, calls } = scripted(answers);
  await verify(cluster, host, options);
  const script = calls.find((call) => call.effect === 'mutation')?.script ?? '';
  expect(script).toMatch(/delete namespace -l kbs\.dev\/verify --wait=true[\s\S]*apply/);
});

test('an API server that does not answer is the only result of the component checks', async () => {
  const { host } = scripted(() => ({ code: 1, stderr: 'dial tcp: connection refused\n' }));
  expect(await components(cluster, host)).toMatchObject([
    { name: 'kube-apiserver', ok: false, detail: 'dial tcp: connection refused' },
  ]);
});

test.each([
  ['both probes of every Ready node are ready', ['node a True', 'probe a True pod', 'probe a True host'], true],
  ['a node that is not Ready has none', ['node a True', 'node b False', 'probe a True pod', 'probe a True host'], true],
  ['a stranger has none', ['node a True', 'node x True', 'probe a True pod', 'probe a True host'], true],
  ['one probe is not ready', ['node a True', 'probe a True pod', 'probe a False host'], false],
  ['a Ready node has none', ['node a True', 'node b True', 'probe a True pod', 'probe a True host'], false],
  ['a pod has no node yet', ['node a True', 'probe  True pod', 'probe a True host'], false],
  ['nothing could be read', [], false],
])('the wait where %s is over: %s', async (_, lines, over) => {
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const script = sh`head -c ${text.length} | ${raw(allReady(['a', 'b']))}`;
  expect((await here().mutate(mutation(script, [{ bytes: text }]))).code === 0).toBe(over);
});
