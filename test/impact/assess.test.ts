import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/defined.js';
import { aspects, assessAspect } from '../../src/impact/aspects.js';
import { assess, assessEach, singleFailures } from '../../src/impact/assess.js';
import { withChange } from '../../src/impact/change.js';
import {
  allFailureDomains,
  type FailureDomain,
  failureDomainText,
  parseFailureDomain,
  scenarioOf,
} from '../../src/impact/failure-scenario.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { anyEquippedCluster, someOf } from './clusters.js';

const inventories = fileURLToPath(new URL('../../inventories/', import.meta.url));
const example = async (name: string): Promise<Cluster> =>
  (await loadCluster(join(inventories, `${name}.yaml`))).cluster;

const without = (cluster: Cluster, ...texts: readonly string[]) =>
  assess(
    cluster,
    texts.map((text) => parseFailureDomain(cluster, text)),
  );

/** `etcd fail`, without what passes. */
const problems = (cluster: Cluster, ...texts: readonly string[]): readonly string[] =>
  without(cluster, ...texts).findings.flatMap(({ aspect, status }) =>
    status === 'pass' ? [] : [`${aspect} ${status}`],
  );

const fix = (cluster: Cluster, aspect: string, ...texts: readonly string[]): string | undefined =>
  without(cluster, ...texts).findings.find((finding) => finding.aspect === aspect)?.fix?.description;

const broken = (cluster: Cluster, failed: readonly FailureDomain[]): readonly string[] => {
  const scenario = scenarioOf(cluster, failed);
  return aspects.filter((aspect) => assessAspect(aspect, cluster, scenario)?.status === 'fail');
};

describe('whatever fails', () => {
  it('a larger failure breaks everything that a smaller one breaks', () =>
    fc.assert(
      fc.property(
        anyEquippedCluster.chain((cluster) => {
          const domains = allFailureDomains(cluster);
          return fc.tuple(fc.constant(cluster), someOf(domains), someOf(domains));
        }),
        ([cluster, some, more]) => {
          expect(broken(cluster, [...some, ...more])).toEqual(expect.arrayContaining([...broken(cluster, some)]));
        },
      ),
      { numRuns: 100 },
    ));

  it('a proposed change fixes the aspect, and no single failure breaks more after it', () =>
    fc.assert(
      fc.property(
        anyEquippedCluster.chain((cluster) => fc.tuple(fc.constant(cluster), someOf(allFailureDomains(cluster)))),
        ([cluster, failed]) => {
          for (const { aspect, fix: change } of assess(cluster, failed).findings) {
            if (change === undefined) continue;
            const after = withChange(cluster, change.steps);
            expect(broken(after, failed)).not.toContain(aspect);
            for (const single of allFailureDomains(cluster)) {
              expect(broken(cluster, [single])).toEqual(expect.arrayContaining([...broken(after, [single])]));
            }
          }
        },
      ),
      { numRuns: 25 },
    ));

  it('failures that are listed as alike break the same aspects', () =>
    fc.assert(
      fc.property(anyEquippedCluster, (cluster) => {
        const classes = singleFailures(cluster);
        for (const [first, ...alike] of classes) {
          for (const other of alike) expect(broken(cluster, [other])).toEqual(broken(cluster, [first]));
        }
        expect(classes.flat().map(failureDomainText).toSorted()).toEqual(
          allFailureDomains(cluster).map(failureDomainText).toSorted(),
        );
      }),
      { numRuns: 50 },
    ));
});

it.each(readdirSync(inventories).flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? []))(
  '%s passes while nothing fails',
  async (name) => {
    expect(assess(await example(name), []).status).toBe('pass');
  },
);

it('every single failure is listed once, the worst first', async () => {
  const reports = assessEach(await example('two-segments'));
  expect(reports.map(({ without: own, status }) => `${own.join()} ${status}`)).toEqual([
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
    expect(problems(await example('ha'), ...texts.split(' '))).toEqual(expected);
  });

  it('needs a control plane in a third segment, and a second router to reach it', async () => {
    expect(fix(await example('ha'), 'etcd', 'segment=office')).toBe(
      'controller-00 in a third segment instead of office; a second router that joins all segments',
    );
  });

  it('needs a second router besides the first, which fixes DNS too', async () => {
    const ha = await example('ha');
    expect(fix(ha, 'routes', 'edge')).toBe('a second router that joins all segments');
    expect(fix(ha, 'dns', 'edge')).toBe('a second router that joins all segments');
  });

  it('fails with a hypervisor that carries two control planes, until one of them moves', async () => {
    const ha = await example('ha');
    const guests = ['controller-00', 'controller-01', 'worker-rack-00'];
    const hosted: Cluster = {
      ...ha,
      hosts: ha.hosts.map((host) => (guests.includes(host.name) ? { ...host, hypervisor: 'pve-00' } : host)),
    };
    expect(without(hosted, 'hypervisor=pve-00')).toMatchObject({ affects: guests, status: 'fail' });
    expect(fix(hosted, 'etcd', 'hypervisor=pve-00')).toBe('controller-00 on another hypervisor than pve-00');
  });
});

describe('forwarded ports', () => {
  it.each([
    ['lb-00', 'degraded', 'lb-01 is the last to forward 80, 443, 5432'],
    ['lb-00 lb-01', 'fail', 'no load balancer is left to forward 80, 443, 5432'],
    ['worker-rack-00', 'degraded', '80 to 1 of 2 targets, 443 to 1 of 2 targets, 5432 to 1 of 2 targets'],
    ['worker-rack-00 worker-office-00', 'fail', '80 to 0 of 2 targets, 443 to 0 of 2 targets, 5432 to 0 of 2 targets'],
    ['edge', 'degraded', '80 to 1 of 2 targets, 443 to 1 of 2 targets, 5432 to 1 of 2 targets'],
    [
      'controller-00',
      'pass',
      'lb-00 or lb-01 forward 80 to 2 of 2 targets, 443 to 2 of 2 targets, 5432 to 2 of 2 targets',
    ],
  ])('without %s: %s, %s', async (texts, status, message) => {
    const { findings } = without(await example('web'), ...texts.split(' '));
    expect(findings.find(({ aspect }) => aspect === 'forwards')).toMatchObject({ status, message });
  });

  it('with a single target need another one', async () => {
    const web = await example('web');
    const alone = { ...web, hosts: web.hosts.filter(({ name }) => name !== 'worker-rack-00') };
    expect(fix({ ...alone, forwards: [] }, 'forwards', 'worker-office-00')).toBe('another worker in office');
  });

  it('are no aspect of a cluster without them', async () => {
    expect(without(await example('ha')).findings.map(({ aspect }) => aspect)).not.toContain('forwards');
  });
});

it('a second router takes over once the routes are changed', async () => {
  const ha = await example('ha');
  const edge = ha.hosts.find(({ name }) => name === 'edge');
  if (edge === undefined) throw new Error('ha.yaml has no edge');
  const addresses = { office: '192.168.40.2', rack: '192.168.50.2' };
  const spare = { ...edge, name: 'spare', address: addresses.office, addresses };
  const twice = { ...ha, hosts: [...ha.hosts, spare] };
  expect(problems(twice, 'edge')).toEqual(['routes degraded']);
  expect(problems(twice, 'spare')).toEqual([]);
  expect(problems(twice, 'edge', 'spare')).toContain('routes fail');
});

it('a single control plane needs two more and an address that survives it', async () => {
  expect(fix(await example('single'), 'etcd', 'node-00')).toBe(
    'a virtual address in lan; two more control planes in lan; two load balancers in lan',
  );
});

it('where all hosts are in the failed segment, no small change is proposed', async () => {
  expect(without(await example('single'), 'segment=lan').findings.map(({ fix: found }) => found)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('a router that the inventory does not list is named by its address', async () => {
  const gpu = await example('gpu');
  expect(problems(gpu, 'router=192.168.70.1')).toEqual(['routes fail', 'workers degraded', 'gpu fail']);
});

it.each([
  [[2, 8], 'worker-gpu-00', '8 of 10 GPUs left'],
  [[2, 8], 'worker-gpu-01', '2 of 10 GPUs left'],
  // Where one number is not known there is no sum.
  [[2, undefined], 'worker-gpu-00', '1 of 2 GPU hosts left'],
])('GPUs are counted where the inventory has their number: %j without %s', async (counts, lost, expected) => {
  const gpu = await example('gpu');
  const [first] = gpu.hosts.filter(({ name }) => name === 'worker-gpu-00');
  if (first === undefined) throw new Error('the example has no worker-gpu-00');
  const hosts = counts.map((gpuCount, index) => ({
    ...first,
    name: `worker-gpu-0${index}`,
    ...defined({ gpuCount }),
  }));
  const cluster = { ...gpu, hosts: [...gpu.hosts.filter(({ name }) => name !== first.name), ...hosts] };
  const { findings } = without(cluster, lost);
  expect(findings.find(({ aspect }) => aspect === 'gpu')).toMatchObject({ status: 'degraded', message: expected });
});

it('the last GPU host needs another one', async () => {
  const gpu = await example('gpu');
  expect(fix(gpu, 'gpu', 'worker-gpu-00')).toBe('another GPU worker in gpu');
});

it.each([
  ['segment=offce', 'did you mean segment=office?'],
  ['controler-00', 'did you mean controller-00?'],
  ['segment=attic', 'there is segment=office, segment=rack'],
  [
    'hypervisor=pve',
    'write one of HOST, segment=…; there is lb-00, lb-01, controller-00, controller-01, controller-02, worker-office-00, worker-rack-00, edge, segment=office, segment=rack',
  ],
])('%s names nothing in the inventory: %s', async (text, next) => {
  const ha = await example('ha');
  expect(() => parseFailureDomain(ha, text)).toThrow(expect.objectContaining({ code: 'usage', next }));
});
