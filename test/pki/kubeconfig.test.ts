import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubeconfigName } from '../../src/pki/credentials.js';
import { kubeconfigText } from '../../src/pki/kubeconfig.js';
import { placeholderCredentials } from '../../src/pki/placeholder.js';
import { clusterOf } from '../support/cluster.js';

const cluster = clusterOf({
  endpoint: { host: 'api.hybrid.internal', port: 8443, name: 'api.hybrid.internal', vip: '192.168.10.5' },
});
const local = 'https://192.168.10.10:6443';
const endpoint = 'https://api.hybrid.internal:8443';

describe('a kubeconfig', () => {
  it.each<[KubeconfigName, string | undefined, string, string]>([
    ['admin', undefined, endpoint, 'kubernetes-admin'],
    ['admin', 'controller-00', local, 'kubernetes-admin'],
    ['super-admin', 'controller-00', local, 'kubernetes-super-admin'],
    ['controller-manager', 'controller-00', local, 'system:kube-controller-manager'],
    ['scheduler', 'controller-00', local, 'system:kube-scheduler'],
    ['kubelet', 'controller-00', local, 'system:node:controller-00'],
    ['kubelet', 'worker-rack-00', endpoint, 'system:node:worker-rack-00'],
    ['kube-proxy', 'worker-rack-00', endpoint, 'system:kube-proxy'],
  ])('of %s on %s calls %s as %s', (client, host, server, user) => {
    const text = placeholderCredentials(cluster).kubeconfig(client, host).reveal();
    expect(parse(text)).toMatchObject({
      clusters: [{ name: 'hybrid', cluster: { server } }],
      users: [{ name: user }],
      contexts: [{ name: `${user}@hybrid`, context: { cluster: 'hybrid', user } }],
      'current-context': `${user}@hybrid`,
    });
  });

  it('quotes every string, so that none reads as a number, a date or nothing', () => {
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('the cluster has no host');
    const data = { user: 'null', authority: '1e10', certificate: '2026-01-01', key: '0x10' };
    const text = kubeconfigText({ ...cluster, name: '1.30' }, 'admin', host, data);
    const values = text.split('\n').filter((line) => /: ./.test(line));
    for (const line of values) expect(line).toMatch(/: ".*"$/);
    expect(parse(text)).toMatchObject({
      clusters: [{ name: '1.30', cluster: { 'certificate-authority-data': '1e10' } }],
      users: [{ name: 'null', user: { 'client-certificate-data': '2026-01-01', 'client-key-data': '0x10' } }],
    });
  });
});

it('a request for the files of a host that the cluster lacks throws an error with its name', () => {
  expect(() => placeholderCredentials(cluster).files('missing')).toThrow('no host missing in cluster hybrid');
});
