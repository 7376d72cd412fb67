import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { placeholderArtifacts } from '../../../src/artifacts/placeholder.js';
import { resourcesOf } from '../../../src/engine/observe.js';
import type { Failure } from '../../../src/failure.js';
import { sh } from '../../../src/hosts/shell.js';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { hasQuorum, type Member } from '../../../src/kubernetes/etcd-members.js';
import type { Phase } from '../../../src/phases/phase.js';
import type { Resource } from '../../../src/resources/resource.js';
import { loadCluster } from '../../../src/workflows/load-cluster.js';
import {
  affectedHosts,
  clusterWithout,
  removedHosts,
  withPruning,
} from '../../../src/workflows/remove/affected-hosts.js';
import { lonelyRefusals, quorumRefusals, refusals } from '../../../src/workflows/remove/checks.js';
import { removeFromInventory } from '../../../src/workflows/remove/inventory.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const gently = { dead: false, force: false };
const cluster = clusterOf();

const named = (of: Cluster, ...names: readonly string[]): readonly ClusterHost[] => removedHosts(of, names);
const says = (failures: readonly Failure[]): readonly string[] => failures.map(({ message }) => message);
const refused = (of: Cluster, ...names: readonly string[]): readonly string[] =>
  says(refusals(of, clusterWithout(of, named(of, ...names)), named(of, ...names), gently));

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
  it('a host that nobody knows is wrong usage, and so is nobody', () => {
    expect(() => removedHosts(cluster, ['worker-rack-00', 'nobody'])).toThrow('the inventory has no host nobody');
    expect(() => removedHosts(cluster, [])).toThrow('no host is named');
  });

  test.each([
    ['a worker', ['worker-00'], []],
    ['one of three control planes', ['cp-0'], []],
    ['all control planes', ['cp-0', 'cp-1', 'cp-2'], ['cp-0, cp-1, cp-2: the last control plane cannot be removed']],
    [
      'the last of what others count on',
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
    expect(refusals(highlyAvailable, without('lb-00'), named(highlyAvailable, 'lb-00'), force)).toEqual([]);
    const all = ['cp-0', 'cp-1', 'cp-2'];
    expect(says(refusals(highlyAvailable, without(...all), named(highlyAvailable, ...all), force))).toHaveLength(1);
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
    says(quorumRefusals(of, named(highlyAvailable, ...names), how));

  test.each([
    ['lets one of three go', members(true, true, true), ['cp-0'], gently, []],
    ['lets two of three go, one after the other', members(true, true, true), ['cp-0', 'cp-1'], gently, []],
    ['lets a dead one go', members(true, true, false), ['cp-2'], { ...gently, dead: true }, []],
    ['lets a host go that is no member any more', members(true, true), ['cp-2'], gently, []],
    [
      'keeps one of the two that are left of three',
      members(true, true, false),
      ['cp-1'],
      gently,
      ['without cp-1 etcd would lose its quorum'],
    ],
    ['lets it go by force', members(true, true, false), ['cp-1'], { ...gently, force: true }, []],
    [
      'that has lost its quorum lets nobody go, by no means',
      members(true, false, false),
      ['cp-1'],
      { dead: true, force: true },
      ['etcd has lost its quorum: no member can be taken out'],
    ],
    [
      'does not bury who answers',
      members(true, true, true),
      ['cp-1'],
      { dead: true, force: true },
      ['cp-1 is not dead: its etcd member answers'],
    ],
    ['does not care about workers', members(true, false, false), ['worker-00'], gently, []],
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

it('pods that nobody would make again are named, and lost only by force', () => {
  const [worker] = named(cluster, 'worker-rack-00');
  if (!worker) throw new Error('no worker');
  const pods = [
    { pod: 'shop/web', waitsUntil: '', unmanaged: false },
    { pod: 'default/mine', waitsUntil: '', unmanaged: true },
  ];
  expect(lonelyRefusals(worker, pods, gently).flatMap(({ why }) => why)).toEqual(['default/mine']);
  expect(lonelyRefusals(worker, pods, { dead: false, force: true })).toEqual([]);
});

describe('those that stay', () => {
  const artifacts = placeholderArtifacts('1.36.3');
  const told = (of: Cluster, ...names: readonly string[]) => {
    const after = clusterWithout(of, named(of, ...names));
    return { after, legs: affectedHosts(of, after, artifacts) };
  };

  it('hear of a worker of their segment, and routers; the other segment hears nothing', () => {
    const spare = hostOf({ name: 'spare', address: '192.168.20.30', segment: 'rack', podCidr: '10.244.65.0/24' });
    const { legs } = told(clusterOf({ hosts: [...cluster.hosts, spare] }), 'spare');
    const heard = Object.fromEntries(legs.map(({ host, phases }) => [host.name, phases.map(({ name }) => name)]));
    expect(heard).toEqual({ 'controller-00': ['nodes'], 'worker-rack-00': ['routes'], edge: ['routes'] });
  });

  it('take away the routes to pods that are no more', () => {
    const spare = hostOf({ name: 'spare', address: '192.168.20.30', segment: 'rack', podCidr: '10.244.65.0/24' });
    const { legs, after } = told(clusterOf({ hosts: [...cluster.hosts, spare] }), 'spare');
    const routers = legs.filter(({ phases }) => phases.some(({ name }) => name === 'routes'));
    for (const hostPhases of routers) {
      const gone = [...resourcesOf(hostPhases, contextOf(after)).values()]
        .flat()
        .filter(({ kind }) => kind === 'absent');
      expect(gone).toEqual([
        { kind: 'absent', resource: { kind: 'route', to: '10.244.65.0/24', via: '192.168.20.30' } },
      ]);
    }
  });

  it('drop a control plane from their load balancer', () => {
    const { legs } = told(highlyAvailable, 'cp-1');
    const balancer = legs.find(({ host }) => host.name === 'lb-00');
    expect(balancer?.phases.map(({ name }) => name)).toContain('load-balancer');
  });
});

describe('a phase that does not concern a host without those that leave', () => {
  const [stays, leaves] = highlyAvailable.hosts as [ClusterHost, ClusterHost];
  const after = clusterWithout(highlyAvailable, [leaves]);
  const file: Resource = { kind: 'file', path: '/etc/for-its-sake', content: '', mode: '0644' };
  const gate = { name: 'it is there', test: sh`true`, timeoutSeconds: 1 };
  const phaseOn = (on: Phase['appliesTo']): Phase =>
    withPruning(
      { name: 'p', ensures: 'p', appliesTo: on, resources: () => [file], gates: () => [gate] },
      highlyAvailable,
    );

  test.each([
    ['concerned with it', () => true, [file], [gate]],
    [
      'not any more',
      (_: ClusterHost, { hosts }: Cluster) => hosts.includes(leaves),
      [{ kind: 'absent', resource: file }],
      [],
    ],
    ['never', () => false, [], []],
  ])('%s', (_, on, resources, gates) => {
    expect(phaseOn(on).resources(stays, contextOf(after))).toEqual(resources);
    expect(phaseOn(on).gates?.(stays, contextOf(after))).toEqual(gates);
  });

  it('gives hosts their resolvers back with the last DNS server', () => {
    const asking = { ...highlyAvailable, hostsUseDns: true, upstreams: ['192.168.10.1'] };
    const without = clusterWithout(asking, named(asking, 'lb-00'));
    const legs = affectedHosts(asking, without, placeholderArtifacts('1.36.3'));
    const worker = legs.find(({ host }) => host.name === 'worker-00');
    const heard = worker?.phases.find(({ name }) => name === 'resolver');
    expect(worker && heard?.gates?.(worker.host, contextOf(without))).toEqual([]);
    const kinds = worker && heard?.resources(worker.host, contextOf(without)).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['absent']));
  });
});

describe('the inventory', () => {
  const text = (hosts: string) => `# stays
apiVersion: kbs/v1
cluster: parting
kubernetes: { version: 1.36.3 }
network: { segments: { lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 } } }
endpoint: { vip: 192.0.2.5 }
hosts:
  lb: { address: 192.0.2.3, roles: [load-balancer] } # stays too
${hosts}`;
  const controls = [0, 1, 2].map((n) => `  cp-${n}: { address: 192.0.2.1${n}, roles: [control-plane] }\n`);
  const worker = '  worker: { address: 192.0.2.20, roles: [worker] }\n';

  const parting = async (names: readonly string[], how = { dead: false, forget: false }) => {
    const folder = await mkdtemp(join(tmpdir(), 'kbs-remove-'));
    const file = join(folder, 'kbs.yaml');
    const before = text(controls.join('') + worker);
    await writeFile(file, before);
    try {
      const said = await removeFromInventory(await loadCluster(file), names, how);
      expect(await readFile(file, 'utf8')).toBe(before);
      return said;
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it('loses a worker and keeps its comments', async () => {
    expect(await parting(['worker'])).toMatchObject({ text: text(controls.join('')) });
  });

  it('loses two control planes at once, and keeps one that would leave an even number', async () => {
    expect(await parting(['cp-1', 'cp-2'])).toMatchObject({ text: text(`${controls[0]}${worker}`) });
    expect(await parting(['cp-1'])).toMatchObject({ kept: expect.stringContaining('cp-1 stays in') });
  });

  it('keeps the dead, whose place a new machine takes, unless they are to be forgotten', async () => {
    expect(await parting(['worker'], { dead: true, forget: false })).toMatchObject({
      next: expect.stringContaining('kbs remove --dead --forget worker'),
    });
    expect(await parting(['worker'], { dead: true, forget: true })).toMatchObject({ text: text(controls.join('')) });
  });
});
