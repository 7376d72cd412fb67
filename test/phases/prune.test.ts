import { describe, expect, it } from 'vitest';
import { compare } from '../../src/engine/compare.js';
import { assertNoCycle, dependenciesOf } from '../../src/engine/dependencies.js';
import type { ExecutablePlan } from '../../src/engine/executable-plan.js';
import { leftoversOf } from '../../src/engine/leftovers.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import type { Cluster, ClusterHost, Role } from '../../src/inventory/cluster.js';
import { staleServices } from '../../src/phases/prune.js';
import { printRecords } from '../../src/resources/record.js';
import { kindOf } from '../../src/resources/registry.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { phasesOf, recordsOf } from '../support/pruned.js';
import { contextOf } from '../support/site.js';

const clusterIn = (...roles: readonly (readonly Role[])[]): Cluster =>
  clusterOf({
    zone: 'lan.example',
    endpoint: { host: '192.168.10.250', port: 6443, vip: '192.168.10.250' },
    hosts: roles.map((each, n) =>
      hostOf({ name: `host-0${n}`, address: `192.168.10.${n + 3}`, segment: 'office', roles: each }),
    ),
  });

const hostIn = (cluster: Cluster, n: number): ClusterHost => {
  const host = cluster.hosts[n];
  if (!host) throw new Error(`no host ${n}`);
  return host;
};

const awaited = (cluster: Cluster, n: number) => staleServices.after?.(hostIn(cluster, n), contextOf(cluster));

describe('what is left of a role that has moved to other hosts', () => {
  it('goes once these hosts are done with it', () => {
    const cluster = clusterIn(['control-plane'], ['load-balancer'], ['load-balancer', 'dns']);
    expect(awaited(cluster, 0)).toEqual([
      { host: 'host-01', phase: 'load-balancer' },
      { host: 'host-02', phase: 'load-balancer' },
      { host: 'host-02', phase: 'lan-dns' },
    ]);
    expect(awaited(cluster, 1)).toEqual([{ host: 'host-02', phase: 'lan-dns' }]);
    expect(awaited(cluster, 2)).toEqual([]);
  });

  it('waits for no phase that the cluster does not have', () => {
    const { endpoint, zone: _, ...cluster } = clusterIn(['control-plane'], ['load-balancer', 'dns']);
    expect(awaited({ ...cluster, endpoint: { ...endpoint, external: true } }, 0)).toEqual([]);
  });

  /** What a run plans whose hosts have what they had in another inventory; everything there is missing or different. */
  const planOf = (was: Cluster, is: Cluster, inRun = is.hosts): ExecutablePlan => {
    const context = contextOf(is, { etcdMember: false });
    const runHosts = inRun.map((host) => phasesOf(host, is));
    const observed = runHosts.map((hostPhases) => {
      const { host, phases } = hostPhases;
      const former = was.hosts.find(({ name }) => name === host.name);
      if (!former) throw new Error(`no host ${host.name} before`);
      const records = recordsOf(former, was).join('\n');
      const answers = new Map([
        [printRecords, { code: 0, output: records }],
        [factsScript, { code: 0, output: '' }],
      ]);
      const desired = phases.flatMap((phase) => phase.resources(host, context));
      const left = leftoversOf(hostPhases, context, answers, desired);
      for (const resource of desired) {
        answers.set(kindOf(resource).query(resource), { code: 0, output: '' });
      }
      for (const { resource } of left.resources) {
        const output = resource.kind === 'unit' ? 'LoadState=loaded\nTouched=yes\n' : 'file 0644 root:root yes\n';
        answers.set(kindOf(resource).query(resource), { code: 0, output });
      }
      const roll = phases.find(({ name }) => name === 'certificates')?.rolling?.(host, context);
      for (const { test } of roll?.healthy ?? []) answers.set(test, { code: 0, output: '' });
      return { name: host.name, answers, left };
    });
    return compare(runHosts, {
      context,
      results: new Map(observed.map(({ name, answers }) => [name, answers])),
      unreachable: new Map(),
      leftovers: new Map(observed.map(({ name, left }) => [name, left])),
    });
  };
  const stale = (plan: ExecutablePlan, n: number) => plan[n]?.phases.find(({ phase }) => phase === staleServices);

  it('waits only on a host that has something to remove', () => {
    const was = clusterIn(['control-plane'], ['load-balancer'], []);
    const plan = planOf(was, clusterIn(['control-plane'], [], ['load-balancer']));
    expect(stale(plan, 1)?.changes.map(({ change: { id } }) => id)).toContain('haproxy.service');
    expect(stale(plan, 1)?.after).toEqual([{ host: 'host-02', phase: 'load-balancer' }]);
    expect(stale(plan, 0)?.after).toBeUndefined();
  });

  it('stays, with all else that is left over, where none of these hosts is in the run', () => {
    const was = clusterIn(['control-plane'], ['load-balancer', 'dns'], []);
    const is = clusterIn(['control-plane'], ['dns'], ['load-balancer']);
    const [host] = planOf(was, is, [hostIn(is, 1)]);
    expect(host?.phases.flatMap(({ changes }) => changes.filter(({ change }) => change.action === 'remove'))).toEqual(
      [],
    );
    expect(host?.notes).toEqual([
      'leftovers of phase load-balancer stay: that phase must first be done on host-02, and none of them is in this run',
    ]);
  });

  it.each([
    ['control planes', 'control-plane'],
    ['workers', 'worker'],
  ] as const)('makes %s that exchange their roles not wait for each other without end', (_, role) => {
    const lb: readonly Role[] = [role, 'load-balancer'];
    const dns: readonly Role[] = [role, 'dns'];
    const plan = planOf(clusterIn(lb, dns, ['control-plane']), clusterIn(dns, lb, ['control-plane']));
    expect(stale(plan, 0)?.changes).not.toEqual([]);
    expect(stale(plan, 1)?.changes).not.toEqual([]);
    const dependencies = new Map(plan.map((host) => [host.hostPhases.host.name, dependenciesOf(host)]));
    expect(() => assertNoCycle(plan, dependencies)).not.toThrow();
  });
});
