import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aspects, judge } from '../../src/impact/aspects.js';
import { assess, assessEach, singleLosses } from '../../src/impact/assess.js';
import { changed } from '../../src/impact/change.js';
import { everyTarget, parseTarget, scenarioOf, type Target, targetText } from '../../src/impact/failure-scenario.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { anySite, someOf } from './clusters.js';

const inventories = fileURLToPath(new URL('../../inventories/', import.meta.url));
const example = async (name: string): Promise<Cluster> =>
  (await loadCluster(join(inventories, `${name}.yaml`))).cluster;

const lose = (cluster: Cluster, ...texts: readonly string[]) =>
  assess(
    cluster,
    texts.map((text) => parseTarget(cluster, text)),
  );

/** `etcd fail`, without what passes. */
const troubles = (cluster: Cluster, ...texts: readonly string[]): readonly string[] =>
  lose(cluster, ...texts).findings.flatMap(({ aspect, verdict }) =>
    verdict === 'pass' ? [] : [`${aspect} ${verdict}`],
  );

const mend = (cluster: Cluster, aspect: string, ...texts: readonly string[]): string | undefined =>
  lose(cluster, ...texts).findings.find((finding) => finding.aspect === aspect)?.mend?.says;

const fails = (cluster: Cluster, targets: readonly Target[]): readonly string[] => {
  const lost = scenarioOf(cluster, targets);
  return aspects.filter((aspect) => judge(aspect, cluster, lost)?.verdict === 'fail');
};

describe('whatever is lost', () => {
  it('losing more never mends what losing less has ended', () =>
    fc.assert(
      fc.property(
        anySite.chain((cluster) => {
          const targets = everyTarget(cluster);
          return fc.tuple(fc.constant(cluster), someOf(targets), someOf(targets));
        }),
        ([cluster, some, more]) => {
          expect(fails(cluster, [...some, ...more])).toEqual(expect.arrayContaining([...fails(cluster, some)]));
        },
      ),
      { numRuns: 100 },
    ));

  it('a change that is proposed mends the loss, and no single loss is worse after it', () =>
    fc.assert(
      fc.property(
        anySite.chain((cluster) => fc.tuple(fc.constant(cluster), someOf(everyTarget(cluster)))),
        ([cluster, targets]) => {
          for (const { aspect, mend: change } of assess(cluster, targets).findings) {
            if (change === undefined) continue;
            const after = changed(cluster, change.steps);
            expect(fails(after, targets)).not.toContain(aspect);
            for (const single of everyTarget(cluster)) {
              expect(fails(cluster, [single])).toEqual(expect.arrayContaining([...fails(after, [single])]));
            }
          }
        },
      ),
      { numRuns: 25 },
    ));

  it('targets that are said to be alike are', () =>
    fc.assert(
      fc.property(anySite, (cluster) => {
        const sorts = singleLosses(cluster);
        for (const [first, ...alike] of sorts) {
          for (const other of alike) expect(fails(cluster, [other])).toEqual(fails(cluster, [first]));
        }
        expect(sorts.flat().map(targetText).toSorted()).toEqual(everyTarget(cluster).map(targetText).toSorted());
      }),
      { numRuns: 50 },
    ));
});

it.each(readdirSync(inventories).flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? []))(
  '%s stands while nothing is lost',
  async (name) => {
    expect(assess(await example(name), []).verdict).toBe('pass');
  },
);

it('every single loss is told once, the worst first', async () => {
  const forecasts = assessEach(await example('two-segments'));
  expect(forecasts.map(({ lose: own, verdict }) => `${own.join()} ${verdict}`)).toEqual([
    'controller-00 fail',
    'segment=office fail',
    'edge fail',
    'worker-office-00 degraded',
    'worker-rack-00 degraded',
    'segment=rack degraded',
  ]);
});

describe('the example with three control planes', () => {
  it.each([
    ['controller-00', ['etcd degraded']],
    ['lb-00', ['api degraded', 'dns degraded']],
    ['controller-00 lb-01', ['etcd degraded', 'api degraded', 'dns degraded']],
    ['controller-00 controller-02', ['etcd fail', 'api fail']],
    ['lb-00 lb-01', ['api fail', 'dns fail']],
    ['worker-rack-00', ['workers degraded']],
    ['worker-rack-00 worker-office-00', ['workers fail']],
    ['segment=rack', ['etcd degraded', 'workers degraded']],
    ['segment=office', ['etcd fail', 'api fail', 'dns fail', 'workers degraded']],
    ['edge', ['etcd degraded', 'routes fail', 'dns fail', 'workers degraded']],
  ])('without %s: %j', async (texts, expected) => {
    expect(troubles(await example('ha'), ...texts.split(' '))).toEqual(expected);
  });

  it('is mended by a control plane in a third segment, and a router so that none of them stands alone', async () => {
    expect(mend(await example('ha'), 'etcd', 'segment=office')).toBe(
      'controller-00 in a third segment instead of office; a second router that joins all segments',
    );
  });

  it('gets a second router for the first, which mends DNS too', async () => {
    const ha = await example('ha');
    expect(mend(ha, 'routes', 'edge')).toBe('a second router that joins all segments');
    expect(mend(ha, 'dns', 'edge')).toBe('a second router that joins all segments');
  });

  it('loses with a hypervisor what lives there, and is mended where one guest moves', async () => {
    const ha = await example('ha');
    const guests = ['controller-00', 'controller-01', 'worker-rack-00'];
    const hosted: Cluster = {
      ...ha,
      hosts: ha.hosts.map((host) => (guests.includes(host.name) ? { ...host, hypervisor: 'pve-00' } : host)),
    };
    expect(lose(hosted, 'hypervisor=pve-00')).toMatchObject({ takes: guests, verdict: 'fail' });
    expect(mend(hosted, 'etcd', 'hypervisor=pve-00')).toBe('controller-00 on another hypervisor than pve-00');
  });
});

it('a second router stands in once the routes are moved', async () => {
  const ha = await example('ha');
  const edge = ha.hosts.find(({ name }) => name === 'edge');
  if (edge === undefined) throw new Error('ha.yaml has no edge');
  const addresses = { office: '192.168.40.2', rack: '192.168.50.2' };
  const spare = { ...edge, name: 'spare', address: addresses.office, addresses };
  const twice = { ...ha, hosts: [...ha.hosts, spare] };
  expect(troubles(twice, 'edge')).toEqual(['routes degraded']);
  expect(troubles(twice, 'spare')).toEqual([]);
  expect(troubles(twice, 'edge', 'spare')).toContain('routes fail');
});

it('a control plane by itself takes more than control planes: an address that outlives it', async () => {
  expect(mend(await example('single'), 'etcd', 'node-00')).toBe(
    'a virtual address in lan; two more control planes in lan; two load balancers in lan',
  );
});

it('where all are in the one segment that is lost, nothing small is proposed', async () => {
  expect(lose(await example('single'), 'segment=lan').findings.map(({ mend: found }) => found)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('a router that the inventory does not list can be lost by its address', async () => {
  const gpu = await example('gpu');
  expect(troubles(gpu, 'router=192.168.70.1')).toEqual(['routes fail', 'workers degraded', 'gpu fail']);
});

it('the last GPU is missed', async () => {
  const gpu = await example('gpu');
  expect(mend(gpu, 'gpu', 'worker-gpu-00')).toBe('another GPU worker in gpu');
});

it.each([
  ['segment=offce', 'Did you mean segment=office?'],
  ['controler-00', 'Did you mean controller-00?'],
  ['segment=attic', 'There is segment=office, segment=rack.'],
  [
    'hypervisor=pve',
    'Write one of HOST, segment=…; there is lb-00, lb-01, controller-00, controller-01, controller-02, worker-office-00, worker-rack-00, edge, segment=office, segment=rack.',
  ],
])('%s is nothing that can be lost: %s', async (text, next) => {
  const ha = await example('ha');
  expect(() => parseTarget(ha, text)).toThrow(expect.objectContaining({ code: 'usage', next }));
});
