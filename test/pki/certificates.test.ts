import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.js';
import { certificatesOf, filesFor } from '../../src/pki/certificates.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const address = fc.ipV4();

/** Clusters of one to three control planes, with and without an endpoint name, a virtual address and extra names. */
const clusters: fc.Arbitrary<Cluster> = fc
  .record({
    controllers: fc.uniqueArray(fc.record({ name: label, address }), {
      minLength: 1,
      maxLength: 3,
      selector: (c) => c.name,
    }),
    domain: fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
    apiServiceAddress: address,
    name: fc.option(label, { nil: undefined }),
    vip: fc.option(address, { nil: undefined }),
    extraNames: fc.array(fc.oneof(label, address), { maxLength: 3 }),
  })
  .map(({ controllers, domain, apiServiceAddress, name, vip, extraNames }) =>
    clusterOf({
      domain,
      network: { ...clusterOf().network, apiServiceAddress },
      endpoint: {
        host: name ?? vip ?? controllers[0]?.address ?? '',
        port: 6443,
        ...(name === undefined ? {} : { name }),
        ...(vip === undefined ? {} : { vip }),
        extraNames,
      },
      hosts: controllers.map((host) => hostOf({ ...host, segment: 'office', roles: ['control-plane'] })),
    }),
  );

describe('the API server of every control plane', () => {
  it('is certified for each name and address that clients use', () => {
    fc.assert(
      fc.property(clusters, (cluster) => {
        for (const host of cluster.hosts) {
          const names = namesOf(cluster, `hosts/${host.name}/apiserver`);
          expect(names).toEqual(
            expect.arrayContaining([
              host.name,
              host.address,
              'kubernetes',
              'kubernetes.default',
              'kubernetes.default.svc',
              `kubernetes.default.svc.${cluster.domain}`,
              cluster.network.apiServiceAddress,
              cluster.endpoint.host,
              ...[cluster.endpoint.name ?? [], cluster.endpoint.vip ?? [], cluster.endpoint.extraNames ?? []].flat(),
            ]),
          );
          expect(new Set(names).size).toBe(names.length);
        }
      }),
    );
  });

  it('is certified for no other name', () => {
    expect(namesOf(clusterOf(), 'hosts/controller-00/apiserver')).toEqual([
      'controller-00',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      '10.254.0.1',
      '192.168.10.10',
    ]);
  });
});

describe('files for a host', () => {
  const files = Object.fromEntries(
    clusterOf().hosts.map((host) => [host.name, filesFor(host, clusterOf()).map(({ path }) => path)]),
  );

  it('are kubeadm’s whole layout on a control plane', () => {
    expect(files['controller-00']).toEqual([
      ...['ca.crt', 'ca.key', 'etcd/ca.crt', 'etcd/ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key'],
      ...['apiserver.crt', 'apiserver.key'],
      ...['apiserver-kubelet-client.crt', 'apiserver-kubelet-client.key'],
      ...['apiserver-etcd-client.crt', 'apiserver-etcd-client.key'],
      ...['front-proxy-client.crt', 'front-proxy-client.key'],
      ...['etcd/server.crt', 'etcd/server.key', 'etcd/peer.crt', 'etcd/peer.key'],
      ...['etcd/healthcheck-client.crt', 'etcd/healthcheck-client.key'],
      ...['/var/lib/kubelet/pki/kubelet.crt', '/var/lib/kubelet/pki/kubelet.key'],
      ...['sa.pub', 'sa.key'],
    ]);
  });

  it('are the authority and the kubelet’s own pair on a worker, and no authority’s key', () => {
    const worker = ['ca.crt', '/var/lib/kubelet/pki/kubelet.crt', '/var/lib/kubelet/pki/kubelet.key'];
    expect(files['worker-office-00']).toEqual(worker);
    expect(files['worker-rack-00']).toEqual(worker);
  });

  it('are none where no kubelet runs', () => {
    expect(files.edge).toEqual([]);
  });
});

it('a kubelet is one identity with two certificates, and serves under its name and address only', () => {
  const kubelet = certificatesOf(clusterOf()).filter(({ host, subject }) => host === 'worker-rack-00' && subject);
  expect(kubelet).toMatchObject([
    { usages: ['server'], names: ['worker-rack-00', '192.168.20.20'] },
    { usages: ['client'], names: [] },
  ]);
  for (const { subject } of kubelet)
    expect(subject).toEqual({ commonName: 'system:node:worker-rack-00', organization: 'system:nodes' });
});

const namesOf = (cluster: Cluster, path: string): readonly string[] =>
  certificatesOf(cluster).find((certificate) => certificate.path === path)?.names ?? [];
