import { describe, expect, it, test } from 'vitest';
import { Failures } from '../../src/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { derive } from '../../src/inventory/derive.js';
import { forwardsOf, recordsOf } from '../../src/inventory/lan-services.js';
import { parseInventory } from '../../src/inventory/load.js';
import { planPods } from '../../src/network/pod-plan.js';
import { compileRoutes } from '../../src/network/routes.js';

/** An inventory whose load balancers forward this and whose zone has these records, both as YAML in one line. */
const inventory = (
  forward: string,
  records = '{ grafana: VIP }',
  hosts = balancer,
  endpoint = '{ vip: 192.168.10.5 }',
) =>
  `apiVersion: kbs/v1
cluster: hybrid
kubernetes: { version: 1.36.3 }
network:
  segments: { office: { cidr: 192.168.10.0/24, gateway: 192.168.10.1 }, rack: { cidr: 192.168.20.0/24, gateway: 192.168.20.1 } }
endpoint: ${endpoint}
loadBalancer: { forward: ${forward} }
dns: { zone: hybrid.internal, records: ${records} }
hosts:
${hosts}
  controller-00: { address: 192.168.10.10, roles: [control-plane] }
  worker-00: { address: 192.168.10.20, roles: [worker] }
  worker-01: { address: 192.168.20.20, roles: [worker] }
  edge: { roles: [router], address: 192.168.10.1, addresses: { office: 192.168.10.1, rack: 192.168.20.1 } }
`;

const balancer = '  lb-00: { address: 192.168.10.3, roles: [load-balancer, dns], ssh: { port: 2222 } }';

const said = (text: string): readonly string[] => {
  try {
    parseInventory(text, 'kbs.yaml', ['1.36.3']);
    return [];
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.failures.map(({ where, message }) => `${where.position?.replace('kbs.yaml:', '')} ${message}`);
  }
};

const clusterIn = (text: string): Cluster =>
  derive(
    parseInventory(text, 'kbs.yaml', ['1.36.3']),
    { planPods, compileRoutes },
    { directory: '/', home: '/', keys: [] },
  );

const web = '{ port: 443, to: workers, targetPort: 30443 }';

/** One with an ingress controller; `forward` and `records` are what the owner has besides. */
const withIngress = (forward = '[]', records = '{}', hosts = balancer, addons = 'ingress: {}') =>
  `${inventory(forward, records, hosts, '{ vip: 192.168.10.5, ingress: true }')}addons: { ${addons} }\n`;

describe('an ingress controller at the endpoint', () => {
  it('gets HTTP and HTTPS from the load balancers, with the address of the client', () => {
    expect(forwardsOf(clusterIn(withIngress())).map(({ targets: _, ...rest }) => rest)).toEqual([
      { port: 80, to: 'workers', targetPort: 30080, proxyProtocol: true },
      { port: 443, to: 'workers', targetPort: 30043, proxyProtocol: true },
    ]);
  });

  it('has a wildcard of the zone, and the hosts in the zone that add-ons ask for', () => {
    const names = (addon: string) =>
      recordsOf(clusterIn(withIngress('[]', '{}', balancer, `ingress: {}${addon}`))).map(
        ({ name, address }) => `${name} ${address}`,
      );
    expect(names('')).toEqual(['*.apps.hybrid.internal 192.168.10.5']);
    expect(names(', dashboard: { host: dashboard.hybrid.internal }')).toEqual([
      '*.apps.hybrid.internal 192.168.10.5',
      'dashboard.hybrid.internal 192.168.10.5',
    ]);
    expect(names(', dashboard: { host: dashboard.elsewhere.example }')).toEqual([
      '*.apps.hybrid.internal 192.168.10.5',
    ]);
  });

  it('leaves a record of the owner as it is', () => {
    expect(recordsOf(clusterIn(withIngress('[]', '{ "*.apps": 192.168.10.60 }')))).toEqual([
      { name: '*.apps.hybrid.internal', address: '192.168.10.60' },
    ]);
  });

  it('is reached at the first worker without the option', () => {
    const cluster = clusterIn(`${inventory('[]', '{}')}addons: { ingress: {} }\n`);
    expect(forwardsOf(cluster)).toEqual([]);
    expect(recordsOf(cluster)).toEqual([{ name: '*.apps.hybrid.internal', address: '192.168.10.20' }]);
  });

  test.each([
    [
      'without the add-on',
      withIngress('[]', '{}', balancer, 'storage: {}'),
      '6:41 endpoint.ingress: needs the add-on ingress; write addons: { ingress: {} }, or delete this line',
    ],
    [
      'without a load balancer',
      withIngress('[]', '{}', balancer.replace('load-balancer, ', '')),
      '6:18 endpoint.vip: 192.168.10.5 is held by no host; give one of its segment the role load-balancer, or write external: true',
      '6:41 endpoint.ingress: needs a host with the role load-balancer, which passes these ports on',
    ],
    [
      'with a forward of the same port',
      withIngress('[{ port: 443, to: worker-00 }]'),
      '7:35 loadBalancer.forward[0].port: 443 is the port of the ingress controller on lb-00; write another',
    ],
    [
      'with the API at its port',
      withIngress().replace('ingress: true', 'ingress: true, port: 443'),
      '6:53 endpoint.port: 443 is a port of the ingress controller there; write another',
    ],
  ])('%s is refused', (_, text, ...expected) => {
    expect(said(text)).toEqual(expected);
  });
});

describe('forwarded ports', () => {
  const targets = (forward: string) =>
    forwardsOf(clusterIn(inventory(`[${forward}]`))).map(({ targets: hosts, ...rest }) => ({
      ...rest,
      targets: hosts.map(({ name }) => name).join(' '),
    }));

  it.each([
    ['workers', 'worker-00 worker-01'],
    ['control-planes', 'controller-00'],
    ['nodes', 'controller-00 worker-00 worker-01'],
    ['worker-01', 'worker-01'],
    ['[worker-01, controller-00]', 'controller-00 worker-01'],
    ['[workers, worker-00, edge]', 'worker-00 worker-01 edge'],
  ])('to %s go to %s', (to, expected) => {
    expect(targets(`{ port: 443, to: ${to}, targetPort: 30443 }`)).toEqual([
      { port: 443, to: to.replace(/[[\]]/g, ''), targetPort: 30443, proxyProtocol: false, targets: expected },
    ]);
  });

  it('go to the same port where no other is named', () => {
    expect(targets('{ port: 5432, to: worker-00, proxyProtocol: true }')).toMatchObject([
      { port: 5432, targetPort: 5432, proxyProtocol: true },
    ]);
  });

  it('are none of kbs where the load balancer is not', () => {
    const cluster = clusterIn(inventory(`[${web}]`));
    expect(forwardsOf({ ...cluster, endpoint: { ...cluster.endpoint, external: true } })).toEqual([]);
  });

  it('follow the hosts of the cluster as it is now', () => {
    const cluster = clusterIn(inventory(`[${web}]`));
    const hosts = cluster.hosts.filter(({ name }) => name !== 'worker-00');
    expect(forwardsOf({ ...cluster, hosts }).map((forward) => forward.targets.map(({ name }) => name))).toEqual([
      ['worker-01'],
    ]);
  });

  const port = (n: number, text: string) => `7:35 loadBalancer.forward[0].port: ${n} ${text}`;

  test.each([
    ['{ port: 6443, to: workers }', port(6443, 'is the port of the API on lb-00; write another')],
    ['{ port: 8404, to: workers }', port(8404, 'is the port of haproxy on lb-00; write another')],
    ['{ port: 8404, to: lb-00 }', port(8404, 'is the port of haproxy on lb-00; write another')],
    ['{ port: 53, to: workers }', port(53, 'is the port of coredns on lb-00; write another')],
    ['{ port: 9153, to: workers }', port(9153, 'is the port of coredns on lb-00; write another')],
    ['{ port: 2222, to: workers }', port(2222, 'is the port of SSH on lb-00; write another')],
    ['{ port: 0, to: workers }', port(0, 'is not a whole number from 1 to 65535')],
    ['{ port: 443x, to: workers }', '7:35 loadBalancer.forward[0].port: 443x is not a whole number from 1 to 65535'],
    ['{ to: workers }', '7:27 loadBalancer.forward[0].port is missing; write a whole number from 1 to 65535'],
    [
      '{ port: 443, to: workers, targetPort: 70000 }',
      '7:65 loadBalancer.forward[0].targetPort: 70000 is not a whole number from 1 to 65535',
    ],
    [
      `${web}, { port: 443, to: worker-00 }`,
      '7:82 loadBalancer.forward[1].port: 443 is forwarded already; write another port, or both targets in one `to`',
    ],
    [
      '{ port: 443 }',
      '7:27 loadBalancer.forward[0].to is missing; write workers, control-planes, nodes, or names of hosts',
    ],
    [
      '{ port: 443, to: 7 }',
      '7:44 loadBalancer.forward[0].to: 7 is neither a role nor a list of hosts; write workers, control-planes, nodes, or names of hosts',
    ],
    ['{ port: 443, to: [] }', '7:44 loadBalancer.forward[0].to: [] names no host; write workers, or names of hosts'],
    ['{ port: 443, to: worker }', '7:44 loadBalancer.forward[0].to: there is no host worker; did you mean workers?'],
    [
      '{ port: 443, to: [workers, worker-02] }',
      '7:54 loadBalancer.forward[0].to[1]: there is no host worker-02; did you mean worker-00?',
    ],
    [
      '{ port: 443, to: elsewhere }',
      '7:44 loadBalancer.forward[0].to: there is no host elsewhere; write workers, control-planes, nodes or names of lb-00, controller-00, worker-00, worker-01, edge',
    ],
    [
      `${web}, { port: 444, to: lb-00, targetPort: 443 }`,
      '7:110 loadBalancer.forward[1].targetPort: 443 is a port of haproxy itself on lb-00, one of the targets; write another',
    ],
    [
      '{ port: 444, to: lb-00 }',
      '7:27 loadBalancer.forward[0].targetPort: 444 is a port of haproxy itself on lb-00, one of the targets; write another',
    ],
    [
      '{ port: 444, to: lb-00, targetPort: 6443 }',
      '7:63 loadBalancer.forward[0].targetPort: 6443 is a port of haproxy itself on lb-00, one of the targets; write another',
    ],
    [
      '{ port: 443, to: workers, proxyProtocol: v2 }',
      '7:68 loadBalancer.forward[0].proxyProtocol: v2 is not true or false',
    ],
    [
      '{ port: 443, to: workers, target: 1 }',
      '7:53 loadBalancer.forward[0].target is not known; known are port, to, targetPort, proxyProtocol',
    ],
  ])('of [%s] are refused', (forward, ...expected) => {
    expect(said(inventory(`[${forward}]`))).toEqual(expected);
  });

  test.each([
    [
      'no load balancer',
      balancer.replace('load-balancer, ', ''),
      '{}',
      '7:26 loadBalancer.forward: needs a host with the role load-balancer, which passes these ports on',
    ],
    [
      'an external load balancer',
      balancer.replace('load-balancer, ', ''),
      '{ external: true, vip: 192.168.10.5 }',
      '7:26 loadBalancer.forward: endpoint.external means that kbs installs no load balancer; have yours pass these ports on',
    ],
    [
      'a load balancer that runs pods',
      balancer.replace('[load-balancer, dns]', '[load-balancer, dns, worker]'),
      '{ vip: 192.168.10.5 }',
      '7:65 loadBalancer.forward[1].port: 10250 is the port of kubelet on lb-00; write another',
      '7:97 loadBalancer.forward[2].port: 30443 may become the NodePort of a Service on lb-00; write one below 30000 or above 32767',
    ],
  ])('are refused with %s', (_, hosts, endpoint, ...expected) => {
    const forwards = '[{ port: 443, to: worker-00 }, { port: 10250, to: worker-00 }, { port: 30443, to: worker-00 }]';
    expect(said(inventory(forwards, '{ grafana: 192.168.10.9 }', hosts, endpoint))).toEqual(expected);
  });

  it('may have a port of what announces addresses of Services only where that does not run', () => {
    const hosts = balancer.replace('[load-balancer, dns]', '[load-balancer, dns, worker]');
    const plain = inventory('[{ port: 7946, to: worker-00 }]', '{}', hosts);
    expect(said(plain)).toEqual([]);
    const pool = 'addons: { load-balancer-services: { pool: 192.168.10.200/29 } }';
    expect(said(plain.replace('hosts:\n', `${pool}\nhosts:\n`))).toEqual([
      '7:35 loadBalancer.forward[0].port: 7946 is the port of metallb-speaker on lb-00; write another',
    ]);
  });

  it('may have the port for metrics only where nothing reads them', () => {
    const plain = inventory('[{ port: 9444, to: workers }]');
    expect(said(plain)).toEqual([]);
    expect(said(plain.replace('hosts:\n', 'addons: { storage: {}, monitoring: {} }\nhosts:\n'))).toEqual([
      '7:35 loadBalancer.forward[0].port: 9444 is the port of haproxy on lb-00; write another',
    ]);
  });

  it('may have a port of the API server on a control plane that is a load balancer with a virtual address', () => {
    const hosts =
      '  lb-00: { address: 192.168.10.3, roles: [load-balancer, control-plane, dns] }\n  c-01: { address: 192.168.10.11, roles: [control-plane] }';
    expect(said(inventory('[{ port: 443, to: control-planes, targetPort: 6443 }]', '{}', hosts))).toEqual([]);
    expect(said(inventory('[{ port: 2379, to: worker-00 }]', '{}', hosts))).toEqual([
      '7:35 loadBalancer.forward[0].port: 2379 is the port of etcd on lb-00; write another',
    ]);
  });
});

describe('records of the zone', () => {
  const records = (text: string) =>
    recordsOf(clusterIn(inventory(`[${web}]`, text))).map(({ name, address }) => `${name} ${address}`);

  it('lead to the virtual address, an address, or a host', () => {
    expect(records('{ grafana: VIP, "*.apps": VIP, nas.lab: 192.168.10.60, build: worker-01 }')).toEqual([
      'grafana.hybrid.internal 192.168.10.5',
      '*.apps.hybrid.internal 192.168.10.5',
      'nas.lab.hybrid.internal 192.168.10.60',
      'build.hybrid.internal 192.168.20.20',
    ]);
  });

  it('leave no name of a host that has left', () => {
    const cluster = clusterIn(inventory(`[${web}]`, '{ build: worker-01 }'));
    expect(recordsOf({ ...cluster, hosts: cluster.hosts.slice(0, 3) })).toEqual([]);
  });

  test.each([
    [
      '{ worker-00: VIP }',
      '8:42 dns.records.worker-00 is already the name of the host worker-00; write another, or take it away',
    ],
    [
      '{ edge-rack: VIP }',
      '8:42 dns.records.edge-rack is already the name of edge in segment rack; write another, or take it away',
    ],
    ['{ api: VIP }', '8:42 dns.records.api is already the name of the API; write another, or take it away'],
    [
      '{ grafana.hybrid.internal: VIP }',
      '8:42 dns.records.grafana.hybrid.internal: names are relative to the zone hybrid.internal; write grafana',
    ],
    [
      '{ "*": VIP }',
      '8:42 dns.records.*: the key is not a name of the zone; it would answer for every name of the zone, also for misspelt ones; write one like *.apps',
    ],
    [
      '{ Grafana: VIP }',
      '8:42 dns.records.Grafana: the key is not a name of the zone; write one like grafana or *.apps',
    ],
    ['{ a.*.b: VIP }', '8:42 dns.records.a.*.b: the key is not a name of the zone; write one like grafana or *.apps'],
    ['{ grafana: vip }', '8:51 dns.records.grafana: vip is neither an address nor a host; did you mean VIP?'],
    [
      '{ grafana: fd00::1 }',
      '8:51 dns.records.grafana: fd00::1 is neither an address nor a host; write VIP, an address, or one of lb-00, controller-00, worker-00, worker-01, edge',
    ],
    ['{ grafana: }', '8:42 dns.records.grafana is empty; write VIP, an IPv4 address or the name of a host like VIP'],
    ['[grafana]', '8:40 dns.records: ["grafana"] is not a map of names of the zone'],
  ])('of %s are refused', (text, ...expected) => {
    const named = '{ name: api.hybrid.internal, vip: 192.168.10.5 }';
    expect(said(inventory(`[${web}]`, text, balancer, named))).toEqual(expected);
  });

  test('need a server, and for VIP an address', () => {
    const hosts = balancer.replace(', dns', '');
    expect(said(inventory(`[${web}]`, '{ grafana: VIP }', hosts))).toEqual([
      '8:40 dns.records: needs a host with the role dns, which answers for these names',
    ]);
    const external = inventory(
      '[]',
      '{ grafana: VIP }',
      '  dns-00: { address: 192.168.10.3, roles: [dns] }',
      '{ external: true, name: k.example.com }',
    );
    expect(said(external)).toEqual([
      '8:51 dns.records.grafana: VIP is the address of the endpoint, and endpoint.vip is missing; write it, or an address here',
    ]);
  });
});
