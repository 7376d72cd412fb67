import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, type HostsLine } from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { endpointNameCheck, hostsLinesCheck } from '../../src/preflight/names.js';
import { clusterOf } from '../support/cluster.js';

const endpoint = { host: 'api.lan', name: 'api.lan', vip: '192.168.10.5', address: '192.168.10.5', port: 6443 };
const cluster = clusterOf({ endpoint });
const [controller, worker, , edge] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost, ClusterHost];

const facts = (...hostsLines: readonly HostsLine[]): Facts => ({
  ...assumedFacts,
  addresses: ['192.168.10.20/24', '10.0.0.20/8'],
  network: { rules: [], links: [], paths: [], hostsLines, resolved: [], connections: [] },
});

const line = (text: string, rest: Partial<HostsLine> = {}): HostsLine => {
  const [address = '', ...names] = text.split(' ');
  return { file: '/etc/hosts', line: 3, address, names, isOwn: false, ...rest };
};

describe('a line of /etc/hosts', () => {
  test.each([
    [
      'of the cluster before this one, for the API',
      '192.168.10.11 api.lan',
      'api.lan is 192.168.10.11',
      '192.168.10.5',
    ],
    ['of IPv6 for the API', 'fd00::11 api.lan', 'api.lan is fd00::11', '192.168.10.5'],
    ['of loopback for the API', '127.0.0.1 api.lan', 'api.lan is 127.0.0.1', '192.168.10.5'],
    [
      'of an earlier machine of that name',
      '192.168.10.99 worker-office-00',
      'worker-office-00 is 192.168.10.99',
      '192.168.10.20',
    ],
  ])('%s is refused', (_, text, says, right) => {
    expect(hostsLinesCheck.check(worker, facts(line(text)), cluster)).toEqual([
      {
        detail: `line 3 of /etc/hosts says that ${says}, and in this cluster it is ${right}`,
        next: 'delete that line: kbs writes one of its own',
      },
    ]);
  });

  test.each([
    ['that kbs wrote', line('192.168.10.11 api.lan', { isOwn: true })],
    ['that says the same', line('192.168.10.5 api.lan')],
    ['of cloud-init, or of an installer', line('127.0.1.1 worker-office-00.lan worker-office-00')],
    ['of another address of the host', line('10.0.0.20 worker-office-00')],
    ['of IPv6 for the host', line('fe80::1 worker-office-00')],
  ])('%s is right', (_, each) => {
    expect(hostsLinesCheck.check(worker, facts(each), cluster)).toEqual([]);
  });

  test('with more names stays, and loses the one', () => {
    const template = line('10.9.9.9 old api.lan', { file: '/etc/cloud/templates/hosts.debian.tmpl' });
    expect(hostsLinesCheck.check(controller, facts(template), cluster).map(({ next }) => next)).toEqual([
      'take api.lan out of that line: kbs writes one of its own',
    ]);
  });

  test('may say what it likes where kbs writes none: outside the cluster, and where it knows no address for the name', () => {
    const stale = facts(line('10.9.9.9 api.lan'));
    expect(hostsLinesCheck.check(edge, stale, cluster)).toEqual([]);
    const { address: _, vip: __, ...elsewhere } = endpoint;
    expect(hostsLinesCheck.check(worker, stale, clusterOf({ endpoint: { ...elsewhere, external: true } }))).toEqual([]);
  });

  test("may give the host's own name its loopback address where the API has that name", () => {
    const named = clusterOf({ endpoint: { ...endpoint, host: controller.name, name: controller.name } });
    expect(hostsLinesCheck.check(controller, facts(line(`127.0.1.1 ${controller.name}`)), named)).toEqual([]);
  });
});

test('the name of an API outside the cluster has an address on the hosts that ask for it', () => {
  const outside = clusterOf({ endpoint: { host: 'api.lan', name: 'api.lan', port: 6443, external: true } });
  const resolving = (...addresses: readonly string[]): Facts => {
    const { network } = facts();
    return { ...assumedFacts, ...(network && { network: { ...network, resolved: [{ name: 'api.lan', addresses }] } }) };
  };
  expect(endpointNameCheck.check(worker, resolving('10.0.0.8'), outside)).toEqual([]);
  expect(endpointNameCheck.check(worker, facts(), outside)).toEqual([]);
  expect(endpointNameCheck.check(worker, resolving(), outside).map(({ detail }) => detail)).toEqual([
    'the host finds no address for api.lan, the name of the API',
  ]);
});
