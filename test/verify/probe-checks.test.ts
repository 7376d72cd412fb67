import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cluster, nodes } from '../../src/inventory/cluster.js';
import { pairs, probeChecks } from '../../src/verify/probe-checks.js';
import { type Probe, probeResults, readProbes } from '../../src/verify/probes.js';
import { clusterOf, hostOf, withIpv6 } from '../support/cluster.js';

const probe = (name: string, segment: string, network: Probe['network'] = 'pod'): Probe => ({
  network,
  pod: `probe-${network}-${name}`,
  node: hostOf({ name, segment, address: '192.0.2.1' }),
  address: '10.244.0.9',
});

const anyProbes = fc
  .array(fc.constantFrom('office', 'rack', 'lab'), { minLength: 1, maxLength: 40 })
  .map((segments) => segments.map((segment, index) => probe(`node-${index}`, segment)));

describe('pairs', () => {
  test('cover every ordered pair of segments, with every node as source and as target', () => {
    fc.assert(
      fc.property(anyProbes, (probes) => {
        const chosen = pairs(probes);
        const crossings = new Set(chosen.map(([from, to]) => `${from.node.segment} ${to.node.segment}`));
        for (const from of probes) {
          for (const to of probes) {
            if (from !== to) expect(crossings).toContain(`${from.node.segment} ${to.node.segment}`);
          }
          if (probes.length < 2) continue;
          expect(chosen.some(([asker]) => asker === from)).toBe(true);
          expect(chosen.some(([, asked]) => asked === from)).toBe(true);
        }
        expect(chosen.every(([from, to]) => from !== to)).toBe(true);
      }),
    );
  });

  test('grow linearly with the hosts', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => probe(`node-${index}`, `segment-${index % 4}`));
    expect(pairs(hundred).length).toBeLessThan(2 * 100 + 2 * 16);
  });
});

test('a single node checks Services, DNS and the API, and no pair', () => {
  const cluster = clusterOf();
  const asked = probeChecks(cluster, [probe('a', 'office'), probe('a', 'office', 'host')], 'ns', ['10.254.0.7']);
  expect([...new Set(asked.map(({ proof }) => proof))]).toEqual([
    'Service from pods',
    'Service from hosts',
    'DNS',
    'API endpoint',
  ]);
});

test('in a cluster of both families, pods and Services are asked by each', () => {
  const cluster = withIpv6(clusterOf());
  const [one, other] = nodes(cluster);
  if (one === undefined || other === undefined) throw new Error('two nodes');
  const probes: readonly Probe[] = [
    { network: 'pod', pod: 'a', node: one, address: '10.244.0.9', ipv6: 'fd00:10:244::9' },
    { network: 'pod', pod: 'b', node: other, address: '10.244.1.9', ipv6: 'fd00:10:244:1::9' },
  ];
  const asked = probeChecks(cluster, probes, 'ns', ['10.254.0.7', 'fd00:10:254::7']);
  const requests = asked.filter(({ source }) => source.pod === 'a').map(({ request }) => request);
  expect(requests).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ target: 'http://10.244.1.9:8080/whoami', expect: '10.244.0.9' }),
      expect.objectContaining({ target: 'http://[fd00:10:244:1::9]:8080/whoami', expect: 'fd00:10:244::9' }),
      expect.objectContaining({ kind: 'datagram', target: '[fd00:10:244:1::9]:8081' }),
      expect.objectContaining({ target: 'http://[fd00:10:254::7]/whoami' }),
      expect.objectContaining({ kind: 'name', target: 'probe', expect: '10.254.0.7 fd00:10:254::7' }),
    ]),
  );
  expect(new Set(asked.map(({ name, proof }) => `${proof} ${name}`)).size).toBe(asked.length);
});

test('a probe without an IPv6 address is a failed result where the cluster has both families', () => {
  const pod = (network: string, ...ips: readonly string[]) => ({
    metadata: { name: network, labels: { 'kbs.dev/probe': network } },
    spec: { nodeName: 'controller-00' },
    status: { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })), conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const items = [pod('pod', '10.244.0.9'), pod('host', '192.168.10.10', 'fd00:192:168:10::10')];
  const resultIn = (cluster: Cluster) =>
    probeResults(JSON.stringify({ items }), cluster, 0).find(({ name }) => name === 'controller-00');
  expect(resultIn(clusterOf())).toMatchObject({ ok: true });
  expect(resultIn(withIpv6(clusterOf()))).toMatchObject({ ok: false, detail: 'in a pod: no IPv6 address' });
  expect(readProbes(JSON.stringify({ items }), withIpv6(clusterOf())).map(({ ipv6 }) => ipv6)).toEqual([
    undefined,
    'fd00:192:168:10::10',
  ]);
});

test('a pod without an address, not ready, or on an unknown node is no probe', () => {
  const pod = (nodeName: string, podIP: string | undefined, ready: string) => ({
    metadata: { name: `p-${nodeName}`, labels: { 'kbs.dev/probe': 'pod' } },
    spec: { nodeName },
    status: { ...(podIP === undefined ? {} : { podIP }), conditions: [{ type: 'Ready', status: ready }] },
  });
  const cluster = clusterOf();
  const [first = '', second = '', third = ''] = nodes(cluster).map(({ name }) => name);
  const items = [
    pod(first, '10.244.0.2', 'True'),
    pod(second, undefined, 'True'),
    pod(third, '10.244.64.2', 'False'),
    pod('stranger', '10.244.9.9', 'True'),
  ];
  expect(readProbes(JSON.stringify({ items }), cluster).map(({ node }) => node.name)).toEqual([first]);
});

describe('the DNS servers of the LAN', () => {
  const base = clusterOf();
  const dns = (name: string, address: string) => hostOf({ name, address, segment: 'office', roles: ['dns'] });
  const cluster = clusterOf({
    zone: 'lan.internal',
    endpoint: { host: 'api.lan.internal', name: 'api.lan.internal', port: 6443, address: '192.168.10.5' },
    hosts: [dns('dns-00', '192.168.10.3'), dns('dns-01', '192.168.10.4'), ...base.hosts],
  });
  const probes = nodes(cluster).flatMap((node): readonly Probe[] => [
    { network: 'host', pod: `host-${node.name}`, node, address: node.address },
    { network: 'pod', pod: `pod-${node.name}`, node, address: '10.244.0.9' },
  ]);
  const asked = probeChecks(cluster, probes, 'ns', ['10.254.0.7']).filter(({ proof }) => proof === 'LAN DNS');
  const servers = ['192.168.10.3:53', '192.168.10.4:53'];

  test('are asked from every segment for the API and for an address, and each for every host', () => {
    for (const server of servers) {
      const questionsTo = asked.filter(({ request }) => request.server === server);
      for (const segment of ['office', 'rack']) {
        const from = questionsTo.filter(({ source }) => source.node.segment === segment);
        expect(from.map(({ request }) => request.target)).toContain('api.lan.internal.');
        expect(from.map(({ request }) => request.kind)).toContain('address');
      }
      for (const { name, address } of cluster.hosts) {
        expect(questionsTo.map(({ request }) => `${request.target} ${request.expect}`)).toContain(
          `${name}.lan.internal. ${address}`,
        );
      }
    }
  });

  test('get the same requests, from pods and not from hosts, which have the names in /etc/hosts', () => {
    const [one, two] = servers.map((server) =>
      asked
        .filter(({ request }) => request.server === server)
        .map(({ request }) => `${request.kind} ${request.target} ${request.expect}`),
    );
    expect(one).toEqual(two);
    expect(asked.every(({ source }) => source.network === 'pod')).toBe(true);
  });

  test('are asked from every segment for each record, and for a name that only a wildcard answers', () => {
    const named = {
      ...cluster,
      records: [
        { name: 'grafana', value: 'VIP' },
        { name: '*.apps', value: 'worker-rack-00' },
      ],
    };
    const requests = probeChecks(named, probes, 'ns', ['10.254.0.7'])
      .filter(({ proof }) => proof === 'LAN DNS')
      .map(({ source, request }) => `${source.node.segment} ${request.server} ${request.target} ${request.expect}`);
    for (const segment of ['office', 'rack']) {
      for (const server of servers) {
        expect(requests).toContain(`${segment} ${server} grafana.lan.internal. 192.168.10.5`);
        expect(requests).toContain(`${segment} ${server} kbs-verify.apps.lan.internal. 192.168.20.20`);
      }
    }
  });

  test('are not checked where there are none', () => {
    expect(probeChecks(base, probes, 'ns', ['10.254.0.7']).filter(({ proof }) => proof === 'LAN DNS')).toEqual([]);
  });
});
