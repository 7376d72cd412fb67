import { describe, expect, test } from 'vitest';
import { resourcesOf } from '../src/engine/observe.js';
import type { Cluster, ClusterHost, Role } from '../src/inventory/cluster.js';
import { phases } from '../src/phases/index.js';
import type { Credentials } from '../src/pki/credentials.js';
import { placeholderCredentials } from '../src/pki/placeholder.js';
import { isPrunedType } from '../src/resources/object-sets.js';
import { parseRecords, recordOf } from '../src/resources/record.js';
import { kindOf, nameOf, ownedBy } from '../src/resources/registry.js';
import type { Resource } from '../src/resources/resource.js';
import { reveal, Secret } from '../src/secret.js';
import { monitored } from './phases/monitoring/monitored.js';
import { clusterOf, hostOf } from './support/cluster.js';
import { plannedLines, recordsOf } from './support/pruned.js';
import { contextOf } from './support/site.js';

/** The cluster with a unit for every component, and a control plane of these roles. */
function unitsOf(roles: readonly Role[]): Cluster {
  const [{ podCidr = '', ...controller } = hostOf({ name: '', address: '', segment: '' }), ...others] =
    clusterOf().hosts;
  return clusterOf({
    kubernetes: { version: '1.36.3', controlPlane: 'systemd', proxy: 'nftables' },
    hosts: [{ ...controller, roles, ...(roles.includes('worker') ? { podCidr } : {}) }, ...others],
  });
}

/** What holds for every phase on every host, whatever the inventory. */
const clusters: readonly (readonly [string, Cluster])[] = [
  ['two segments', clusterOf()],
  ['iptables', clusterOf({ kubernetes: { version: '1.36.3', controlPlane: 'static-pods', proxy: 'iptables' } })],
  [
    'an endpoint name',
    clusterOf({ endpoint: { host: 'api.hybrid.internal', name: 'api.hybrid.internal', port: 6443 } }),
  ],
  [
    'LAN DNS',
    clusterOf({
      zone: 'hybrid.internal',
      hostsUseDns: true,
      upstreams: ['192.0.2.53'],
      hosts: [
        hostOf({ name: 'dns-00', address: '192.168.10.3', segment: 'office', roles: ['dns'] }),
        ...clusterOf().hosts,
      ],
    }),
  ],
  [
    'GPUs in two ways',
    clusterOf({
      hosts: [
        ...clusterOf().hosts,
        hostOf({
          name: 'worker-gpu-00',
          address: '192.168.20.21',
          segment: 'rack',
          podCidr: '10.244.65.0/24',
          gpu: 'nvidia',
          nvidia: { driver: 'host' },
        }),
        hostOf({
          name: 'worker-gpu-01',
          address: '192.168.20.22',
          segment: 'rack',
          podCidr: '10.244.66.0/24',
          gpu: 'nvidia',
          nvidia: { driver: 'host', timeSlicing: 4, mig: 'single' },
        }),
      ],
    }),
  ],
  ['metrics', monitored()],
  ['units, and a control plane that is no node', unitsOf(['control-plane'])],
  ['units, and a control plane that is a worker too', unitsOf(['control-plane', 'worker'])],
  [
    'add-ons',
    clusterOf({
      addons: [
        { is: 'metrics-server', name: 'metrics-server', values: {}, adopt: false, timeoutSeconds: 300 },
        {
          is: 'storage',
          name: 'storage',
          values: { replicaCount: 2 },
          adopt: true,
          timeoutSeconds: 60,
          path: '/srv/volumes',
          reclaim: 'Retain',
          isDefault: false,
        },
        {
          is: 'load-balancer-services',
          name: 'load-balancer-services',
          values: {},
          adopt: false,
          timeoutSeconds: 300,
          pools: [{ segment: 'office', ranges: ['192.168.10.200/29'] }],
        },
        { is: 'ingress', name: 'ingress', values: {}, adopt: false, timeoutSeconds: 300 },
      ],
    }),
  ],
  [
    'load balancers',
    clusterOf({
      endpoint: { host: '192.168.10.5', address: '192.168.10.5', vip: '192.168.10.5', port: 6443 },
      hosts: [
        hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer'] }),
        hostOf({ name: 'lb-01', address: '192.168.10.4', segment: 'office', roles: ['load-balancer'] }),
        ...clusterOf().hosts,
      ],
    }),
  ],
];

const hosts = clusters.flatMap(([name, cluster]) => cluster.hosts.map((host) => ({ name, cluster, host })));

const wanted = (cluster: Cluster, host: ClusterHost, facts = {}, credentials?: Credentials): readonly Resource[] => {
  const context = { ...contextOf(cluster, facts), ...(credentials ? { credentials } : {}) };
  const hostPhases = { host, phases: phases.filter((phase) => phase.appliesTo(host, cluster)) };
  return [...resourcesOf(hostPhases, context).values()].flat();
};

describe.each(hosts)('$name: $host.name', ({ cluster, host }) => {
  test('no two phases want a resource in two ways', () => {
    const names = wanted(cluster, host).map((resource) => nameOf(resource));
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  test('facts of the host change what is in a resource and never which resources are asked about', () => {
    const questions = (facts: object) =>
      wanted(cluster, host, facts).map((resource) => kindOf(resource).query(resource));
    const other = { cgroup: 'v1', oomAdjustable: false, conntrackWritable: false, nameservers: ['192.0.2.53'] };
    expect(questions(other)).toEqual(questions({}));
  });

  test('every path that a file, unit or manifest mentions is delivered, or given by the operating system', () => {
    const resources = wanted(cluster, host);
    const delivered = new Set(resources.flatMap(deliveredBy));
    const missing = resources
      .flatMap(mentionedIn)
      .filter(
        (path) =>
          path !== '/usr/lib' &&
          !delivered.has(path) &&
          !given.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
      );
    expect([...new Set(missing)]).toEqual([]);
  });

  test('no secret shows in what is wanted, seen or compared', () => {
    const base = placeholderCredentials(cluster);
    const needle = 'PRIVATE-KEY-TEXT';
    const secretive: Credentials = {
      ...base,
      encryptionKey: new Secret(needle),
      files: (name) =>
        base
          .files(name)
          .map((file) => (file.content instanceof Secret ? { ...file, content: new Secret(needle) } : file)),
      kubeconfig: () => new Secret(needle),
    };
    for (const resource of wanted(cluster, host, {}, secretive)) {
      const kind = kindOf(resource);
      const scripts = kind.apply(resource, undefined).map(({ script }) => script);
      const shown = [
        JSON.stringify(resource),
        kind.id(resource),
        kind.query(resource),
        JSON.stringify(kind.desired(resource)),
        ...scripts,
      ];
      expect(shown.join('\n')).not.toContain(needle);
    }
  });

  test('what is recorded can be read back, names the same thing, and holds no content', () => {
    for (const resource of wanted(cluster, host)) {
      const line = recordOf({ cluster: cluster.name, phase: 'some-phase' }, resource);
      if (line === undefined) {
        expect(
          ['object', 'release'].includes(resource.kind) || (resource.kind === 'task' && resource.undo === undefined),
        ).toBe(true);
        continue;
      }
      const [read, ...more] = parseRecords(line);
      expect(more).toEqual([]);
      expect(read).toMatchObject({ name: nameOf(resource), phase: 'some-phase' });
      const known = read?.resource;
      if (!known) throw new Error(`${line} is not understood`);
      expect(ownedBy(known)).toEqual(ownedBy(resource));
      // Of a file's content, which may be secret, the query brings back a digest.
      if (known.kind === 'file') expect(kindOf(known).query(known)).toMatch(/ as_digest$/);
      if (resource.kind === 'file') expect(Object.keys(JSON.parse(line))).toEqual(['kind', 'id', 'phase', 'cluster']);
    }
  });

  test('a host on which everything is as wanted has nothing to prune', () => {
    const { lines, notes } = plannedLines(host, cluster, recordsOf(host, cluster));
    expect(lines.filter((line) => line.includes(': remove '))).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('every set of objects that may be pruned can be found again', () => {
    for (const resource of wanted(cluster, host)) {
      if (resource.kind !== 'object' || resource.keep) continue;
      expect(resource.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      expect(resource.objects.filter((one) => !isPrunedType(one))).toEqual([]);
    }
  });

  test('payload bytes are exactly what the script reads', () => {
    for (const resource of wanted(cluster, host)) {
      for (const { script, payloads } of kindOf(resource).apply(resource, undefined)) {
        const read = [...script.matchAll(/head -c (\d+)/g)].map(([, count]) => Number(count));
        expect(read).toEqual(payloads.map((payload) => ('bytes' in payload ? payload.bytes.length : payload.size)));
      }
    }
  });
});

/** Paths that a machine has before kbs comes, that processes make themselves, or that lie inside a container. */
const given = [
  '/bin/chown',
  '/bin/kill',
  '/bin/sh',
  '/dev',
  '/proc',
  '/run',
  '/sys',
  '/lib/modules',
  '/usr/lib64',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/local/nvidia/lib64',
  '/etc/cdi/nvidia.yaml',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/usr/sbin/nft',
  '/var/run',
  '/var/lib/containerd',
  '/etc/containerd/certs.d',
  '/etc/containerd/conf.d',
  '/opt/cni/bin',
  '/etc/cni/net.d',
  '/var/lib/kube-proxy',
  '/etc/coredns/Corefile',
  '/var/log/kubernetes/audit/audit.log',
];

const deliveredBy = (resource: Resource): readonly string[] => {
  switch (resource.kind) {
    case 'file':
    case 'directory':
    case 'zone':
      return [resource.path];
    case 'binary':
      return [resource.path, ...(resource.links ?? [])];
    case 'package':
      return resource.names.map((name) => `/usr/sbin/${name}`);
    default:
      return [];
  }
};

/** Absolute paths of at least two parts; URLs, API paths and health paths are none. */
const mentionedIn = (resource: Resource): readonly string[] => {
  if (resource.kind !== 'file' && resource.kind !== 'unit') return [];
  if (resource.kind === 'file' && /authentication|audit-policy|pki/.test(resource.path)) return [];
  const text = resource.kind === 'file' ? reveal(resource.content) : resource.text;
  const bare = text.replaceAll(/^\s*(#|Documentation=).*$/gm, '').replaceAll(/[a-z]+:\/\/\S+/g, '');
  return [...bare.matchAll(/(?<![\w.:/*-])(\/(?:etc|usr|var|opt|run|lib|bin|srv)(?:\/[\w.-]+)+)/g)].map(
    ([, path = '']) => path,
  );
};
