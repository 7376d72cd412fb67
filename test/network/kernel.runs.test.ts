import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.js';
import { masqueradeTables } from '../../src/network/masquerade.js';
import { routerChecks } from '../../src/network/router-check.js';
import { compileRoutes } from '../../src/network/routes.js';
import { ipv6Half } from '../../src/network/segments-graph.js';
import { hostOf, withIpv6 } from '../support/cluster.js';
import { lacks } from '../support/needs.js';
import { type Connection, type Namespaces, namespacesFor } from './namespaces.js';
import { chain, clusterLike, foreign } from './topologies.js';

const cluster: Cluster = clusterLike(chain(3), [
  { segment: 0, number: 10, role: 'control-plane' },
  { segment: 0, number: 11, role: 'worker' },
  { segment: 1, number: 20, role: 'worker' },
  { segment: 2, number: 30, role: 'worker' },
]);
const routes = compileRoutes(cluster);

/** Kernels of network namespaces, strict about return paths: one per host and router, a bridge per segment. */
describe.skipIf(lacks('root', 'iproute2', 'nftables'))('in real kernels with a strict rp_filter', () => {
  let lab: Namespaces;

  beforeAll(async () => {
    lab = await namespacesFor(cluster, routes, masqueradeTables(cluster)[0]?.text ?? '');
  }, 60_000);
  afterAll(() => lab?.end());

  it('every pod address reaches every other, and keeps its source address', async () => {
    const connections = await lab.connectAll();
    const expected = lab.pods.flatMap((from) =>
      lab.pods.filter((to) => to !== from).map((to): Connection => ({ from: from.pod, to: to.pod, seen: from.pod })),
    );
    expect(connections).toEqual(expect.arrayContaining(expected));
    expect(connections).toHaveLength(4 * 3);
  });

  it('a pod keeps its source address towards hosts of every segment, and is masqueraded outside', async () => {
    const [pod] = lab.pods;
    if (pod === undefined) throw new Error('no pod');
    expect(await lab.connect(pod, ['192.168.10.11', '192.168.12.30', '203.0.113.1'])).toEqual([
      { from: pod.pod, to: '192.168.10.11', seen: pod.pod },
      { from: pod.pod, to: '192.168.12.30', seen: pod.pod },
      { from: pod.pod, to: '203.0.113.1', seen: '192.168.10.10' },
    ]);
  });

  it('the router check names a router without its routes', () => {
    const answers = () =>
      routerChecks(cluster).map(({ from, to, script }) => `${from} ${to} ${lab.run(from, script).trim()}`);
    expect(answers()).toHaveLength(6);
    expect(answers().filter((answer) => !answer.endsWith(' answers'))).toEqual([]);
    lab.run('router-0', 'ip route del 10.244.128.0/18');
    expect(answers().filter((answer) => !answer.endsWith(' answers'))).toEqual([
      expect.stringMatching(/^host-0-10 host-2-30 silent: /),
    ]);
  });
});

describe.skipIf(lacks('root', 'iproute2', 'nftables'))('in real kernels, by IPv6', () => {
  const both = withIpv6(cluster);
  const half = ipv6Half(both);
  let lab: Namespaces;

  beforeAll(async () => {
    if (half === undefined) throw new Error('no IPv6');
    lab = await namespacesFor(half, both.routes, masqueradeTables(both)[1]?.text ?? '');
  }, 60_000);
  afterAll(() => lab?.end());

  it('every pod address reaches every other, and keeps its source address', async () => {
    const connections = await lab.connectAll();
    const expected = lab.pods.flatMap((from) =>
      lab.pods.filter((to) => to !== from).map((to): Connection => ({ from: from.pod, to: to.pod, seen: from.pod })),
    );
    expect(connections).toEqual(expect.arrayContaining(expected));
    expect(connections).toHaveLength(4 * 3);
  });

  it('a pod keeps its source address towards hosts of every segment, and is masqueraded outside', async () => {
    const [pod] = lab.pods;
    if (pod === undefined) throw new Error('no pod');
    expect(await lab.connect(pod, ['fd00:192:168:10::11', 'fd00:192:168:12::30', '2001:db8::1'])).toEqual([
      { from: pod.pod, to: 'fd00:192:168:10::11', seen: pod.pod },
      { from: pod.pod, to: 'fd00:192:168:12::30', seen: pod.pod },
      { from: pod.pod, to: '2001:db8::1', seen: 'fd00:192:168:10::10' },
    ]);
  });

  it('the router check names a router without its routes', () => {
    const answers = () =>
      routerChecks(both)
        .filter(({ address }) => address.includes(':'))
        .map(({ from, to, script }) => `${from} ${to} ${lab.run(from, script).trim()}`);
    expect(answers()).toHaveLength(6);
    expect(answers().filter((answer) => !answer.endsWith(' answers'))).toEqual([]);
    lab.run('router-0', 'ip -6 route del fd00:10:244:80::/58');
    expect(answers().filter((answer) => !answer.endsWith(' answers'))).toEqual([
      expect.stringMatching(/^host-0-10 host-2-30 silent: /),
    ]);
  });
});

it.skipIf(lacks('root', 'iproute2', 'nftables'))(
  'behind a home router, a machine that knows no pod answers pods, and pods see each other as they are',
  async () => {
    const home = clusterLike(foreign(1), [
      { segment: 0, number: 10, role: 'control-plane' },
      { segment: 0, number: 11, role: 'worker' },
    ]);
    const printer = hostOf({ name: 'printer', address: '192.168.10.99', segment: 'segment-0', roles: [] });
    const machines = { ...home, hosts: [...home.hosts, printer] };
    const lab = await namespacesFor(machines, compileRoutes(home), masqueradeTables(home)[0]?.text ?? '');
    try {
      const [from, other] = lab.pods;
      if (from === undefined || other === undefined) throw new Error('no pods');
      expect(await lab.connect(from, [printer.address, other.pod])).toEqual([
        { from: from.pod, to: printer.address, seen: '192.168.10.10' },
        { from: from.pod, to: other.pod, seen: from.pod },
      ]);
    } finally {
      lab.end();
    }
  },
);
