import { expect, test } from 'vitest';
import { metricsResults } from '../../src/verify/metrics.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const { hosts } = clusterOf({
  hosts: [
    hostOf({ name: 'lb', address: '192.0.2.1', segment: 'office', roles: ['load-balancer'] }),
    hostOf({ name: 'one', address: '192.0.2.2', segment: 'office', podCidr: '10.244.0.0/24' }),
    hostOf({ name: 'two', address: '192.0.2.3', segment: 'office', podCidr: '10.244.1.0/24' }),
  ],
});

const item = (name: string) => ({ metadata: { name }, usage: { cpu: '62m', memory: '812Mi' } });

test.each<[string, string, boolean, readonly string[]]>([
  [
    'every node has them',
    JSON.stringify({ items: [item('one'), item('two'), item('unknown')] }),
    false,
    ['one true 62m CPU, 812Mi memory', 'two true 62m CPU, 812Mi memory'],
  ],
  [
    'one node has none yet',
    JSON.stringify({ items: [item('two')] }),
    false,
    ['one false no metrics of this node', 'two true 62m CPU, 812Mi memory'],
  ],
  [
    'the API server has no metrics API',
    'Error from server (ServiceUnavailable)',
    true,
    ['one false Error from server (ServiceUnavailable)', 'two false Error from server (ServiceUnavailable)'],
  ],
])('metrics where %s', (_, said, failed, expected) => {
  const results = metricsResults(hosts, said, failed, 0);
  expect(results.map(({ name, ok, detail }) => `${name} ${ok} ${detail}`)).toEqual(expected);
});
