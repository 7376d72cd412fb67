import { expect, test } from 'vitest';
import type { Host } from '../../src/hosts/host.js';
import { controlPlanes } from '../../src/inventory/cluster.js';
import { components } from '../../src/verify/components.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const base = clusterOf();
const cluster = clusterOf({
  hosts: [
    ...base.hosts,
    ...['controller-01', 'controller-02'].map((name, index) =>
      hostOf({ name, address: `192.168.10.${11 + index}`, segment: 'office', roles: ['control-plane'] }),
    ),
  ],
});

const names = controlPlanes(cluster).map(({ name }) => name);

const well = (name: string) => `${name} [+]ping ok\n${name} [+]etcd ok\n${name} readyz check passed\n`;
const healthy = (address: string) =>
  `https://${address}:2379 is healthy: successfully committed proposal: took = 5.1ms\n`;
const unhealthy = (address: string) =>
  `https://${address}:2379 is unhealthy: failed to commit proposal: context deadline exceeded\n`;
const status = (address: string, id: number, leader: number) => ({
  Endpoint: `https://${address}:2379`,
  Status: { header: { member_id: id }, leader },
});

/** What the script prints, in its five parts. */
const findings = async (api: string, etcd: string) => {
  const output = ['', '', api, '2026-01-01T00:00:00Z\n', etcd].join('\x1e');
  const query = () => Promise.resolve({ code: 0, stdout: output, stderr: '' });
  const host: Host = { name: 'controller-00', query, mutate: query };
  const found = (await components(cluster, host)).filter(({ name }) => /apiserver|etcd/.test(name));
  return Object.fromEntries(found.map(({ name, ok, detail }) => [name, ok ? 'well' : detail]));
};

const allWell = Object.fromEntries(
  names.flatMap((name) =>
    [`kube-apiserver on ${name}`, `etcd on ${name}`, `etcd member on ${name}`].map((one) => [one, 'well']),
  ),
);
const addresses = ['192.168.10.10', '192.168.10.11', '192.168.10.12'];
const etcdWell = `${addresses.map(healthy).join('')}${JSON.stringify(addresses.map((address, index) => status(address, index + 1, 2)))}\n`;

test('endpoints of an external etcd are healthy, or say why not', async () => {
  const endpoints = ['https://a.lan:2379', 'https://b.lan:2379', 'https://c.lan:2379'];
  const externalEtcd = { endpoints, ca: '', certificate: '' };
  const said = `${endpoints[0]} is healthy: successfully committed proposal: took = 2ms\n${endpoints[1]} is unhealthy: failed to commit proposal: context deadline exceeded\n`;
  const output = ['', '', '', '2026-01-01T00:00:00Z\n', said].join('\x1e');
  const query = () => Promise.resolve({ code: 0, stdout: output, stderr: '' });
  const host: Host = { name: 'controller-00', query, mutate: query };
  const { kubernetes } = cluster;
  const found = await components({ ...cluster, kubernetes: { ...kubernetes, externalEtcd } }, host);
  expect(found.filter(({ name }) => /^external etcd/.test(name)).map(({ ok, detail }) => [ok, detail])).toEqual([
    [true, 'healthy: successfully committed proposal: took = 2ms'],
    [false, 'unhealthy: failed to commit proposal: context deadline exceeded'],
    [false, 'does not answer'],
  ]);
});

test('an external etcd that is away is named beside the API server that does not answer without it', async () => {
  const endpoints = ['https://a.lan:2379'];
  const externalEtcd = { endpoints, ca: '', certificate: '' };
  const query: Host['query'] = ({ script }) =>
    Promise.resolve(
      script.includes('kubectl')
        ? { code: 1, stdout: '', stderr: 'Unable to connect to the server: context deadline exceeded\n' }
        : { code: 0, stdout: `${endpoints[0]} is unhealthy: failed to commit proposal\n`, stderr: '' },
    );
  const host: Host = { name: 'controller-00', query, mutate: () => Promise.reject(new Error('asked to change')) };
  const found = await components({ ...cluster, kubernetes: { ...cluster.kubernetes, externalEtcd } }, host);
  expect(found.map(({ name, ok, detail }) => [name, ok, detail])).toEqual([
    ['kube-apiserver', false, 'Unable to connect to the server: context deadline exceeded'],
    ['external etcd at https://a.lan:2379', false, 'unhealthy: failed to commit proposal'],
  ]);
});

test('every control plane has an API server and an etcd member, and one member leads', async () => {
  expect(await findings(names.map(well).join(''), etcdWell)).toEqual({ ...allWell, 'etcd quorum': 'well' });
});

test('a control plane that is down is named with its missing components', async () => {
  const [first = '', second = '', third = ''] = names;
  const api = `${well(first)}${second} Unable to connect to the server: dial tcp: i/o timeout\n${well(third)}`;
  const etcd = `${healthy('192.168.10.10')}${unhealthy('192.168.10.11')}${healthy('192.168.10.12')}${JSON.stringify([
    status('192.168.10.10', 1, 3),
    status('192.168.10.12', 3, 3),
  ])}\n`;
  expect(await findings(api, etcd)).toEqual({
    ...allWell,
    [`kube-apiserver on ${second}`]: 'Unable to connect to the server: dial tcp: i/o timeout',
    [`etcd on ${second}`]: 'does not answer the API server',
    [`etcd member on ${second}`]: 'unhealthy: failed to commit proposal: context deadline exceeded',
    'etcd quorum': '2 of 3 members answer and vote, led by controller-02',
  });
});

test.each([
  ['nothing', '', '0 of 3 members answer and vote, without a leader'],
  [
    'members without a leader',
    JSON.stringify(addresses.map((address, index) => status(address, index + 1, 0))),
    '3 of 3 members answer and vote, without a leader',
  ],
])('an etcd that says %s is unhealthy', async (_, etcd, expected) => {
  expect((await findings(names.map(well).join(''), etcd))['etcd quorum']).toBe(expected);
});

test('a learner does not count as a voter', async () => {
  const statuses = addresses.map((address, index) => status(address, index + 1, 2));
  const [first, ...others] = statuses;
  const learning = [{ ...first, Status: { ...first?.Status, isLearner: true } }, ...others];
  const said = await findings('', `${addresses.map(healthy).join('')}${JSON.stringify(learning)}`);
  expect(said['etcd quorum']).toBe('2 of 3 members answer and vote, led by controller-01');
});
