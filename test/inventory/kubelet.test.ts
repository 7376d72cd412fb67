import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { failuresIn } from '../../src/failure.js';
import { freeKubeletFields, ownKubeletFields } from '../../src/inventory/components/kubelet-fields.js';
import { kubelet } from '../../src/phases/node/kubelet.js';
import { prepare } from '../../src/phases/node/prepare.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { contextOf } from '../support/site.js';

const inventory = (all: string, worker: string, router = '') => `apiVersion: kbs/v1
cluster: one
kubernetes: { version: 1.36.3${all} }
network:
  segments:
    lan: { cidr: 10.1.0.0/24, gateway: 10.1.0.1 }
hosts:
  cp: { address: 10.1.0.10, roles: [control-plane] }
  w: { address: 10.1.0.20, roles: [worker]${worker} }
  edge: { address: 10.1.0.1, roles: [router], addresses: { lan: 10.1.0.1 }${router} }
`;

const load = (text: string) => loadCluster('kbs.yaml', text);

const configurationOf = async (text: string, name: string): Promise<string> => {
  const { cluster } = await load(text);
  const host = cluster.hosts.find((each) => each.name === name);
  const file =
    host &&
    kubelet
      .resources(host, contextOf(cluster))
      .find((each) => 'path' in each && each.path === '/var/lib/kubelet/config.yaml');
  return file?.kind === 'file' ? String(file.content) : '';
};

describe("fields of the kubelet's configuration", () => {
  const text = inventory(
    ', kubelet: { maxPods: 200, evictionHard: { memory.available: 1Gi, nodefs.available: 5% } }',
    ', kubelet: { evictionHard: { memory.available: 500Mi }, tlsMinVersion: VersionTLS13 }',
  );

  it('are those of all nodes, and those of a host in place of them', async () => {
    const [cp, w] = await Promise.all(['cp', 'w'].map((name) => configurationOf(text, name)));
    expect(cp).toContain('maxPods: 200\n');
    expect(cp).toContain('evictionHard:\n  memory.available: 1Gi\n  nodefs.available: 5%\n');
    expect(w).toContain('maxPods: 200\n');
    expect(w).toContain('evictionHard:\n  memory.available: 500Mi\n');
    expect(w).not.toContain('nodefs');
    expect(w).toContain('tlsMinVersion: VersionTLS13\n');
  });

  test.each<[string, string, string, string, readonly string[]]>([
    [
      'misspelt',
      ', kubelet: { maxpods: 200 }',
      '',
      '',
      ['kubernetes.kubelet.maxpods is no field of a KubeletConfiguration; did you mean maxPods?'],
    ],
    ['unknown', '', ', kubelet: { colour: red }', '', ['hosts.w.kubelet.colour is no field of a KubeletConfiguration']],
    [
      'of kbs',
      ', kubelet: { clusterDomain: a.b, kind: Pod }',
      ', kubelet: { registerWithTaints: [] }',
      '',
      [
        'kubernetes.kubelet.clusterDomain: cannot be set here: write `network.domain`',
        'kubernetes.kubelet.kind: cannot be set here: kbs writes the file',
        'hosts.w.kubelet.registerWithTaints: cannot be set here: write `hosts.NAME.taints`',
      ],
    ],
    [
      'of a host without a kubelet',
      '',
      '',
      ', kubelet: { maxPods: 5 }',
      ['hosts.edge.kubelet: has no meaning: no kubelet runs on this host'],
    ],
    [
      'of swap, which is no field',
      ', kubelet: { failSwapOn: false }',
      ', swap: { behavior: limited }',
      ', swap: { behavior: NoSwap }',
      [
        'kubernetes.kubelet.failSwapOn: cannot be set here: write `swap`',
        'hosts.w.swap.behavior: limited is not one of none, NoSwap, LimitedSwap',
        'hosts.edge.swap: has no meaning: no kubelet runs on this host',
      ],
    ],
    [
      'no map',
      ', kubelet: [maxPods]',
      '',
      '',
      [expect.stringContaining('is not a map of fields like { maxPods: 200 }')],
    ],
  ])('are refused where they are %s', async (_, all, worker, router, said) => {
    const error = await load(inventory(all, worker, router)).catch((thrown: unknown) => thrown);
    expect(failuresIn(error).map(({ message }) => message)).toEqual(said);
  });

  test.each<[string, string, string, string]>([
    ['switched off', '', '', 'off'],
    ['left on everywhere', 'swap: { behavior: LimitedSwap }', '', 'as-found LimitedSwap'],
    ['left on there', '', ', swap: { behavior: NoSwap }', 'as-found NoSwap'],
    ['switched off there', 'swap: { behavior: LimitedSwap }', ', swap: { behavior: none }', 'off'],
  ])('leave swap %s', async (_, all, worker, said) => {
    const text = `${inventory('', worker)}${all}\n`;
    const { cluster } = await load(text);
    const host = cluster.hosts.find(({ name }) => name === 'w');
    if (host === undefined) throw new Error('no host');
    const states = prepare
      .resources(host, contextOf(cluster))
      .flatMap((each) => (each.kind === 'swap' ? each.state : []));
    const { failSwapOn, memorySwap } = parse(await configurationOf(text, 'w'));
    expect([...states, ...(failSwapOn === false ? [memorySwap.swapBehavior] : [])].join(' ')).toBe(said);
  });

  it.runIf(existsSync(types()))('are all that this version of Kubernetes has', () => {
    const source = readFileSync(types(), 'utf8');
    const start = source.indexOf('type KubeletConfiguration struct');
    const fields = [...source.slice(start, source.indexOf('\n}', start)).matchAll(/json:"([^",]+)/g)].map(
      ([, name]) => name,
    );
    expect([...freeKubeletFields, ...Object.keys(ownKubeletFields)].toSorted()).toEqual(
      [...fields, 'apiVersion', 'kind'].toSorted(),
    );
  });
});

/** Where Go keeps the types, once a bundle was built here. */
function types(): string {
  return join(homedir(), 'go/pkg/mod/k8s.io/kubelet@v0.36.3/config/v1beta1/types.go');
}
