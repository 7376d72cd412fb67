import { expect, it, test } from 'vitest';
import { type Cluster, isControlPlane } from '../../../src/inventory/cluster.js';
import { metricSources } from '../../../src/inventory/metrics.js';
import { phases } from '../../../src/phases/index.js';
import { hostMetrics } from '../../../src/phases/monitoring/host-metrics.js';
import { reveal } from '../../../src/secret.js';
import { contextOf } from '../../support/site.js';
import { monitored } from './monitored.js';

const hostNamed = (cluster: Cluster, name: string) => {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`there is no host ${name}`);
  return host;
};

const pathsOf = (name: string, cluster: Cluster): string =>
  metricSources(hostNamed(cluster, name), cluster)
    .map(({ path }) => path)
    .join(' ');

const units = monitored({ kubernetes: { version: '1.36.3', controlPlane: 'systemd', proxy: 'nftables' } });
const alone = {
  ...units,
  hosts: units.hosts.map(({ podCidr, ...host }) => (isControlPlane(host) ? host : { ...host, podCidr })),
};

test.each([
  ['a control plane', 'controller-00', monitored(), 'node etcd scheduler controller-manager kube-proxy'],
  ['a control plane that is no node', 'controller-00', alone as Cluster, 'node etcd scheduler controller-manager'],
  ['a worker', 'worker-rack-00', monitored(), 'node kube-proxy'],
  ['a load balancer and DNS server', 'lb-00', monitored(), 'node haproxy coredns'],
  ['the same without a zone', 'lb-00', monitored({ zone: undefined } as object), 'node haproxy'],
  [
    'a host beside a load balancer that kbs does not set up',
    'lb-00',
    monitored({ endpoint: { host: 'api.example.com', port: 6443, external: true } }),
    'node coredns',
  ],
  ['a router', 'edge', monitored(), ''],
])('Prometheus reads of %s what runs there', (_, name, cluster, paths) => {
  expect(pathsOf(name, cluster)).toBe(paths);
  expect(hostMetrics.appliesTo(hostNamed(cluster, name), cluster)).toBe(paths !== '');
});

it('nothing of it is on the hosts of a cluster without the add-on', () => {
  const resources = (cluster: Cluster) =>
    cluster.hosts.flatMap((host) =>
      phases
        .filter((phase) => phase.appliesTo(host, cluster))
        .flatMap((phase) => phase.resources(host, contextOf(cluster))),
    );
  const text = (cluster: Cluster) => JSON.stringify(resources(cluster));
  const { addons: _, ...without } = monitored();
  expect(text(monitored())).toMatch(/kbs-metrics.*always-allow-paths|always-allow-paths.*kbs-metrics/);
  expect(text(without as Cluster)).not.toMatch(/kbs-metrics|node-exporter|always-allow-paths|prometheus-exporter/);
});

it('a host passes on what its programs say on loopback, and only that', () => {
  const cluster = monitored();
  const settings = (name: string): string =>
    hostMetrics
      .resources(hostNamed(cluster, name), contextOf(cluster))
      .flatMap((resource) =>
        resource.kind === 'file' && resource.path.endsWith('haproxy.cfg') ? [reveal(resource.content)] : [],
      )
      .join();
  expect(settings('controller-00').match(/^ {4}server .*$/gm)).toEqual([
    '    server local 127.0.0.1:9445',
    '    server local 127.0.0.1:2381',
    '    server local 127.0.0.1:10259 ssl verify none',
    '    server local 127.0.0.1:10257 ssl verify none',
    '    server local 127.0.0.1:10249',
  ]);
  expect(settings('worker-rack-00').match(/bind .*/)?.[0]).toMatch(
    /^bind 192\.168\.20\.20:9444 ssl .* verify required/,
  );
});

it('haproxy is installed where no load balancer has it, and its own unit stays off there', () => {
  const cluster = monitored();
  const kinds = (name: string) =>
    hostMetrics
      .resources(hostNamed(cluster, name), contextOf(cluster))
      .filter(({ kind }) => kind === 'package' || kind === 'task')
      .map(({ kind }) => kind);
  expect(kinds('lb-00')).toEqual([]);
  expect(kinds('worker-rack-00')).toEqual(['package', 'task']);
});
