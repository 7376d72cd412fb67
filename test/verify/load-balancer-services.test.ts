import { expect, it, test } from 'vitest';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { clientsOf, reachResult } from '../../src/verify/load-balancer-services.js';
import { type PoolService, readPoolServices } from '../../src/verify/pool-services.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const { hosts } = clusterOf({
  hosts: [
    hostOf({ name: 'one', address: '192.0.2.2', segment: 'office', podCidr: '10.244.0.0/24' }),
    hostOf({ name: 'two', address: '192.0.2.3', segment: 'office', podCidr: '10.244.1.0/24' }),
    hostOf({ name: 'lb', address: '192.0.2.1', segment: 'office', roles: ['load-balancer'] }),
    hostOf({ name: 'far', address: '192.0.2.130', segment: 'rack', podCidr: '10.244.2.0/24' }),
    hostOf({ name: 'dns', address: '192.0.2.131', segment: 'rack', roles: ['dns'] }),
  ],
});
const service: PoolService = { segment: 'office', address: '192.0.2.100', node: 'one' };
const at = (wanted: string) => hosts.find(({ name }) => name === wanted) ?? (hosts[0] as ClusterHost);

it('clients are hosts that are no nodes, then nodes that announce nothing', () => {
  expect(clientsOf('office', { hosts }, [service]).map(({ name }) => name)).toEqual(['lb', 'two', 'one']);
  expect(clientsOf('rack', { hosts }, [service]).map(({ name }) => name)).toEqual(['dns', 'far']);
});

const ok = 'HTTP/1.0 200 OK\r';
const neighbour = '192.0.2.100 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE';

test.each<[string, string, string, string]>([
  ['a host of another segment', 'dns', `${ok}\n\n`, 'true answers'],
  ['a host of its own segment', 'lb', `${ok}\n${neighbour}\n`, 'true answers, at 02:00:00:00:00:01'],
  ['a node of its own segment', 'two', `${ok}\n${neighbour}\n`, 'true answers, at 02:00:00:00:00:01'],
  [
    'a node that finds no neighbour',
    'two',
    `${ok}\n192.0.2.100 dev eth0 FAILED\n`,
    'false kube-proxy leads to a pod, and nothing on the LAN answers for the address',
  ],
  ['the node that announces it', 'one', `${ok}\n\n`, 'true answers, by the kube-proxy of the node itself'],
  ['a node of another segment', 'far', `${ok}\n\n`, 'true answers, by the kube-proxy of the node itself'],
  [
    'a host that is refused',
    'dns',
    'bash: line 1: /dev/tcp/192.0.2.100/80: Connection refused\n\n',
    'false Connection refused',
  ],
  ['a host that hears nothing', 'dns', '\n\n', 'false no answer within 3 seconds'],
  ['a host that another program answers', 'dns', 'HTTP/1.1 404 Not Found\r\n\n', 'false HTTP/1.1 404 Not Found'],
])('as %s sees it', (_, client, printed, expected) => {
  const { name, ok: isOk, detail } = reachResult(service, at(client), printed, 0);
  expect(`${isOk} ${detail}`).toBe(expected);
  expect(name).toBe(`${client} (${at(client).segment}) → 192.0.2.100 (office)`);
});

it('each pool has its Service, with what is known of it', () => {
  const pools = ['office', 'rack', 'attic'].map((segment) => ({ segment, ranges: ['192.0.2.100/32'] }));
  const printed =
    'pool-0 192.0.2.100\npool-1 192.0.2.200\npool-2 \n\x1epool-0 one\nother one\n\x1epool-2 no available IPs\n';
  expect(readPoolServices(printed, pools)).toEqual([
    { segment: 'office', address: '192.0.2.100', node: 'one' },
    { segment: 'rack', address: '192.0.2.200' },
    { segment: 'attic', why: 'no available IPs' },
  ]);
  expect(readPoolServices('', pools)).toEqual([{ segment: 'office' }, { segment: 'rack' }, { segment: 'attic' }]);
});
