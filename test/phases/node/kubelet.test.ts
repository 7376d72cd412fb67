import { expect, it } from 'vitest';
import type { Facts } from '../../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../../src/inventory/cluster.js';
import { kubelet } from '../../../src/phases/node/kubelet.js';
import { clusterOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const loopback = { resolvConf: '/etc/resolv.conf', hostOnlyNameservers: ['127.0.0.1'], searchDomains: ['lan'] };

/** The resolv.conf that the kubelet hands to pods, and what kbs writes there. */
const resolvers = (facts: Partial<Facts>, upstreams: readonly string[]) => {
  const cluster = clusterOf({ upstreams });
  const [, worker] = cluster.hosts as [ClusterHost, ClusterHost];
  const files = kubelet
    .resources(worker, contextOf(cluster, facts))
    .flatMap((resource) => (resource.kind === 'file' ? [[resource.path, String(resource.content)] as const] : []));
  const configuration = files.find(([path]) => path === '/var/lib/kubelet/config.yaml')?.[1] ?? '';
  return {
    path: /^resolvConf: (.*)$/m.exec(configuration)?.[1],
    written: files.find(([path]) => path === '/etc/kbs/resolv.conf')?.[1],
  };
};

it.each<[string, Partial<Facts>, readonly string[]]>([
  ['pods can ask them', { ...loopback, nameservers: ['10.0.0.1'] }, ['10.0.0.2']],
  ['the inventory names no others', loopback, []],
  ['there are none', { ...loopback, hostOnlyNameservers: [] }, ['10.0.0.2']],
])("pods that take the resolvers of their node get the node's own where %s", (_, facts, upstreams) => {
  expect(resolvers(facts, upstreams)).toEqual({ path: '/etc/resolv.conf' });
});

it("pods that take the resolvers of their node get the inventory's where the node's are for itself alone", () => {
  const { path, written } = resolvers(loopback, ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']);
  expect(path).toBe('/etc/kbs/resolv.conf');
  expect(written?.split('\n').slice(1)).toEqual([
    'search lan',
    'nameserver 10.0.0.1',
    'nameserver 10.0.0.2',
    'nameserver 10.0.0.3',
    '',
  ]);
});
