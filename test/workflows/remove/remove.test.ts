import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { placeholderArtifacts } from '../../../src/artifacts/placeholder.js';
import type { Failure } from '../../../src/failure.js';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { hasQuorum, type Member } from '../../../src/kubernetes/etcd-members.js';
import { loadCluster } from '../../../src/workflows/load-cluster.js';
import { affectedHosts, clusterWithout, removedHosts } from '../../../src/workflows/remove/affected-hosts.js';
import {
  budgetFailures,
  quorumFailures,
  removalFailures,
  unmanagedPodFailures,
} from '../../../src/workflows/remove/checks.js';
import { removeFromInventory } from '../../../src/workflows/remove/inventory.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { plannedLines, recordsOf } from '../../support/pruned.js';
import { contextOf } from '../../support/site.js';

const gently = { dead: false, force: false };
const cluster = clusterOf();

const named = (of: Cluster, ...names: readonly string[]): readonly ClusterHost[] => removedHosts(of, names);
const says = (failures: readonly Failure[]): readonly string[] => failures.map(({ message }) => message);
const refused = (of: Cluster, ...names: readonly string[]): readonly string[] =>
  says(removalFailures(of, clusterWithout(of, named(of, ...names)), named(of, ...names), gently));

/** Three control planes behind a virtual address, with one load balancer and one DNS server. */
const highlyAvailable = clusterOf({
  endpoint: { host: '192.168.10.5', address: '192.168.10.5', vip: '192.168.10.5', port: 6443 },
  zone: 'lan',
  hosts: [
    ...[0, 1, 2].map((n) =>
      hostOf({
        name: `cp-${n}`,
        address: `192.168.10.1${n}`,
        roles: ['control-plane'],
        segment: 'office',
        podCidr: `10.244.${n}.0/24`,
      }),
    ),
    hostOf({ name: 'lb-00', address: '192.168.10.3', roles: ['load-balancer', 'dns'], segment: 'office' }),
    hostOf({ name: 'worker-00', address: '192.168.10.20', segment: 'office', podCidr: '10.244.8.0/24' }),
  ],
});

describe('before anything is contacted', () => {
  it('a host that the inventory lacks is wrong usage, and so is a command without a host', () => {
    expect(() => removedHosts(cluster, ['worker-rack-00', 'missing'])).toThrow('the inventory has no host missing');
    expect(() => removedHosts(cluster, [])).toThrow('no host is named');
  });

  test.each([
    ['a worker', ['worker-00'], []],
    ['one of three control planes', ['cp-0'], []],
    ['all control planes', ['cp-0', 'cp-1', 'cp-2'], ['cp-0, cp-1, cp-2: the last control plane cannot be removed']],
    [
      'the last load balancer and DNS server',
      ['lb-00'],
      ['lb-00: the last load balancer cannot be removed', 'lb-00: the last DNS server cannot be removed'],
    ],
  ])('%s', (_, names, what) => {
    expect(refused(highlyAvailable, ...names)).toEqual(what);
  });

  it('a host is refused whose address is the endpoint of all', () => {
    const endpoint = { host: '192.168.10.10', address: '192.168.10.10', port: 6443 };
    const two = { ...highlyAvailable, endpoint };
    expect(refused(two, 'cp-0')).toEqual(['cp-0 is where nodes and clients reach the API']);
    expect(refused({ ...two, endpoint: { ...endpoint, external: true } }, 'cp-0')).toEqual([]);
  });

  it('force overrides all of it but the last control plane', () => {
    const force = { dead: false, force: true };
    const without = (...names: readonly string[]) => clusterWithout(highlyAvailable, named(highlyAvailable, ...names));
    expect(removalFailures(highlyAvailable, without('lb-00'), named(highlyAvailable, 'lb-00'), force)).toEqual([]);
    const all = ['cp-0', 'cp-1', 'cp-2'];
    expect(says(removalFailures(highlyAvailable, without(...all), named(highlyAvailable, ...all), force))).toHaveLength(
      1,
    );
  });
});

describe('etcd', () => {
  const member = (n: number, well: boolean): Member => ({
    id: `${n}`,
    name: `cp-${n}`,
    peerUrls: [`https://192.168.10.1${n}:2380`],
    clientUrls: [`https://192.168.10.1${n}:2379`],
    learner: false,
    ...(well
      ? {
          status: {
            version: '',
            size: 0,
            sizeInUse: 0,
            leader: n === 0,
            revision: 1,
            raftTerm: 1,
            raftIndex: 1,
            errors: [],
          },
        }
      : {}),
  });
  const members = (...well: readonly boolean[]): readonly Member[] => well.map((one, n) => member(n, one));
  const judge = (of: readonly Member[], names: readonly string[], how = gently) =>
    says(quorumFailures(of, named(highlyAvailable, ...names), how));

  test.each([
    ['removes one of three', members(true, true, true), ['cp-0'], gently, []],
    ['removes two of three, one after the other', members(true, true, true), ['cp-0', 'cp-1'], gently, []],
    ['removes a dead one', members(true, true, false), ['cp-2'], { ...gently, dead: true }, []],
    ['removes a host that is no member any more', members(true, true), ['cp-2'], gently, []],
    [
      'keeps one of the two that are left of three',
      members(true, true, false),
      ['cp-1'],
      gently,
      ['without cp-1 etcd would lose its quorum'],
    ],
    ['removes it with force', members(true, true, false), ['cp-1'], { ...gently, force: true }, []],
    [
      'that has lost its quorum removes no member, not even with force',
      members(true, false, false),
      ['cp-1'],
      { dead: true, force: true },
      ['etcd has lost its quorum: no member can be taken out'],
    ],
    [
      'does not remove as dead a member that answers',
      members(true, true, true),
      ['cp-1'],
      { dead: true, force: true },
      ['cp-1 is not dead: its etcd member answers'],
    ],
    ['is not asked about workers', members(true, false, false), ['worker-00'], gently, []],
  ])('%s', (_, of, names, how, what) => {
    expect(judge(of, names, how)).toEqual(what);
  });

  it('keeps its quorum whatever is removed without force', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        fc.subarray(['cp-0', 'cp-1', 'cp-2'], { minLength: 1, maxLength: 2 }),
        (well, names) => {
          const before = members(...well);
          if (judge(before, names).length > 0) return;
          expect(hasQuorum(before.filter(({ name }) => !names.includes(name)))).toBe(true);
        },
      ),
    );
  });
});

it('pods that a budget never lets go are named, and deleted only by force', () => {
  const [worker] = named(cluster, 'worker-rack-00');
  if (!worker) throw new Error('no worker');
  const pods = [
    { pod: 'shop/web', waitsUntil: '', unmanaged: false, blockedBy: ['the PodDisruptionBudget shop/web (…)'] },
    { pod: 'shop/api', waitsUntil: '', unmanaged: false, blockedBy: [] },
  ];
  expect(budgetFailures(worker, pods, gently).flatMap(({ why }) => why)).toEqual([
    'shop/web: the PodDisruptionBudget shop/web (…)',
  ]);
  expect(budgetFailures(worker, pods, { dead: false, force: true })).toEqual([]);
});

it('pods without a controller are named, and lost only by force', () => {
  const [worker] = named(cluster, 'worker-rack-00');
  if (!worker) throw new Error('no worker');
  const pods = [
    { pod: 'shop/web', waitsUntil: '', blockedBy: [], unmanaged: false },
    { pod: 'default/mine', waitsUntil: '', blockedBy: [], unmanaged: true },
  ];
  expect(unmanagedPodFailures(worker, pods, gently).flatMap(({ why }) => why)).toEqual(['default/mine']);
  expect(unmanagedPodFailures(worker, pods, { dead: false, force: true })).toEqual([]);
});

describe('the hosts that stay', () => {
  const artifacts = placeholderArtifacts('1.36.3');
  const affected = (of: Cluster, ...names: readonly string[]) => {
    const after = clusterWithout(of, named(of, ...names));
    return { after, runHosts: affectedHosts(of, after, artifacts) };
  };

  it('run routes for a worker that leaves their segment, as routers do; hosts of the other segment do not', () => {
    const spare = hostOf({ name: 'spare', address: '192.168.20.30', segment: 'rack', podCidr: '10.244.65.0/24' });
    const { runHosts } = affected(clusterOf({ hosts: [...cluster.hosts, spare] }), 'spare');
    const changing = Object.fromEntries(
      runHosts.map(({ host, phases }) => [host.name, phases.map(({ name }) => name)]),
    );
    expect(changing).toEqual({ 'controller-00': ['nodes'], 'worker-rack-00': ['routes'], edge: ['routes'] });
  });

  it('remove the routes to pods that are no more, and nothing else', () => {
    const spare = hostOf({ name: 'spare', address: '192.168.20.30', segment: 'rack', podCidr: '10.244.65.0/24' });
    const before = clusterOf({ hosts: [...cluster.hosts, spare] });
    const { runHosts, after } = affected(before, 'spare');
    const routers = runHosts.filter(({ phases }) => phases.some(({ name }) => name === 'routes'));
    expect(routers).toHaveLength(2);
    for (const hostPhases of routers) {
      const { host } = hostPhases;
      const { lines } = plannedLines(host, after, recordsOf(host, before), {}, hostPhases);
      expect(lines.filter((line) => line.includes(': remove '))).toEqual(['routes: remove route 10.244.65.0/24']);
    }
  });

  it('remove a control plane from the load balancer', () => {
    const { runHosts } = affected(highlyAvailable, 'cp-1');
    const balancer = runHosts.find(({ host }) => host.name === 'lb-00');
    expect(balancer?.phases.map(({ name }) => name)).toContain('load-balancer');
  });

  it('get their former resolvers back when the last DNS server is removed', () => {
    const asking = { ...highlyAvailable, hostsUseDns: true, upstreams: ['192.168.10.1'] };
    const without = clusterWithout(asking, named(asking, 'lb-00'));
    const worker = affectedHosts(asking, without, placeholderArtifacts('1.36.3')).find(
      ({ host }) => host.name === 'worker-00',
    );
    if (!worker) throw new Error('the worker does not change');
    const resolver = worker.phases.find(({ name }) => name === 'resolver');
    expect(resolver?.gates?.(worker.host, contextOf(without))).toEqual([]);
    const { lines } = plannedLines(worker.host, without, recordsOf(worker.host, asking), {}, worker);
    expect(lines.filter((line) => line.startsWith('resolver'))).toEqual(['resolver: remove file /etc/resolv.conf']);
  });
});

describe('the inventory', () => {
  const text = (hosts: string) => `# stays
apiVersion: kbs/v1
cluster: lan
kubernetes: { version: 1.36.3 }
network: { segments: { lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 } } }
endpoint: { vip: 192.0.2.5 }
hosts:
  lb: { address: 192.0.2.3, roles: [load-balancer] } # stays too
${hosts}`;
  const controls = [0, 1, 2].map((n) => `  cp-${n}: { address: 192.0.2.1${n}, roles: [control-plane] }\n`);
  const worker = '  worker: { address: 192.0.2.20, roles: [worker] }\n';

  const removed = async (names: readonly string[], how = { dead: false, forget: false }) => {
    const folder = await mkdtemp(join(tmpdir(), 'kbs-remove-'));
    const file = join(folder, 'kbs.yaml');
    const before = text(controls.join('') + worker);
    await writeFile(file, before);
    try {
      const result = await removeFromInventory(await loadCluster(file), names, how);
      expect(await readFile(file, 'utf8')).toBe(before);
      return result;
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it('loses a worker and keeps its comments', async () => {
    expect(await removed(['worker'])).toMatchObject({ text: text(controls.join('')) });
  });

  it('loses two control planes at once, and keeps one that would leave an even number', async () => {
    expect(await removed(['cp-1', 'cp-2'])).toMatchObject({ text: text(`${controls[0]}${worker}`) });
    expect(await removed(['cp-1'])).toMatchObject({ kept: expect.stringContaining('cp-1 stays in') });
  });

  it('keeps a dead host, for a new machine to take its place, unless --forget is given', async () => {
    expect(await removed(['worker'], { dead: true, forget: false })).toMatchObject({
      next: expect.stringContaining('kbs remove --dead --forget worker'),
    });
    expect(await removed(['worker'], { dead: true, forget: true })).toMatchObject({ text: text(controls.join('')) });
  });
});
