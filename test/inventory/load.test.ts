import { describe, expect, it, test } from 'vitest';
import { type Failure, Failures } from '../../src/failure.js';
import { parseInventory } from '../../src/inventory/load.js';

const versions = ['1.36.2', '1.36.10', '1.35.4'];

/** Right in every way; each test breaks one piece of it. */
const good = `apiVersion: kbs/v1
cluster: hybrid
kubernetes:
  version: 1.36.2
network:
  pods: 10.244.0.0/16 # carved per segment, then per host
  services: 10.254.0.0/16
  segments:
    office: { cidr: 192.168.10.0/24, gateway: 192.168.10.1 }
    rack:
      cidr: 192.168.20.0/24
      gateway: 192.168.20.1
endpoint: { name: api.hybrid.internal, vip: 192.168.10.5 }
dns: { zone: hybrid.internal, upstreams: [192.168.10.1] }
ssh: { user: ops }
hosts:
  lb-00: { address: 192.168.10.3, roles: [load-balancer, dns] }
  controller-00: { address: 192.168.10.10, roles: [control-plane] }
  worker-00:
    address: 192.168.20.20
    roles: [worker]
    labels:
      tier: training
    taints: ["nvidia.com/gpu=present:NoSchedule"]
  edge: { roles: [router], address: 192.168.10.1, addresses: { office: 192.168.10.1, rack: 192.168.20.1 } }
`;

/** The errors of parsing: a line per mistake, `line:column message`. */
const said = (text: string): readonly string[] =>
  failures(text).map(({ where, message }) => `${where.position?.replace('kbs.yaml:', '')} ${message}`);

const failures = (text: string): readonly Failure[] => {
  try {
    parseInventory(text, 'kbs.yaml', versions);
    return [];
  } catch (error) {
    if (error instanceof Failures) return error.failures;
    throw error;
  }
};

const broken = (piece: string, by: string): string => {
  expect(good.split(piece)).toHaveLength(2);
  return good.replace(piece, by);
};

it('a good inventory is read, with its defaults, and frozen', () => {
  const inventory = parseInventory(good, 'kbs.yaml', versions);
  expect(inventory.kubernetes).toEqual({ version: '1.36.2', controlPlane: 'static-pods', proxy: 'nftables' });
  expect(inventory.network).toMatchObject({ domain: 'cluster.local' });
  expect(inventory.endpoint).toMatchObject({ port: 6443, external: false });
  expect(inventory.artifacts).toEqual({ source: 'auto', fetch: 'operator' });
  expect(() => Object.assign(inventory.hosts, { other: {} })).toThrow(TypeError);
});

it('a minor version means the newest patch that the catalogue knows, by number and not by letter', () => {
  const text = broken('version: 1.36.2', 'version: "1.36"');
  expect(parseInventory(text, 'kbs.yaml', versions).kubernetes.version).toBe('1.36.10');
});

/** What is replaced, by what, and all that is said. */
type Row = readonly [piece: string, by: string, ...said: string[]];

const mistakes: Readonly<Record<string, readonly Row[]>> = {
  'is not YAML': [
    ['  version: 1.36.2', '\tversion: 1.36.2', '4:1 a tab cannot indent a line of YAML; use spaces'],
    [
      'rack: 192.168.20.1 } }',
      'rack: 192.168.20.1 }',
      '26:1 this is not YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    ['    rack:\n', '     rack:\n', '10:1 this is not YAML: All mapping items must start at the same column'],
    ['cluster: hybrid', 'cluster: "hybrid', '2:17 this is not YAML: Missing closing "quote'],
    ['ssh: {', 'ssh: !secret {', '15:6 a tag has no meaning here; remove it'],
    ['hosts:\n', '---\nhosts:\n', '16:1 a second document begins here; this file is one document'],
  ],
  'means something else in YAML than it seems': [
    ['cluster: hybrid', 'cluster: hybrid\ncluster: other', '3:1 cluster is there twice; remove one of the two'],
    ['  worker-00:\n', '  lb-00:\n', '19:3 hosts.lb-00 is there twice; remove one of the two'],
    ['  worker-00:\n', '  17:\n', '19:3 hosts.17: the key is not a text; put it in quotes'],
    ['  worker-00:\n', '  __proto__:\n', '19:3 hosts.__proto__ is not allowed as a name'],
    ['ssh: {', 'ssh: *absent #', '15:6 *absent has no anchor; write &absent before it'],
    ['ssh: { user: ops }', 'ssh: &own { user: *own }', '15:19 *own holds itself; write the value out'],
    ['1.36.2', '1.30', '4:12 kubernetes.version: 1.30 is a number to YAML; put it in quotes'],
    ['tier: training', 'tier: 3', '23:13 hosts.worker-00.labels.tier: 3 is a number to YAML; put it in quotes'],
    ['tier: training', 'tier: true', '23:13 hosts.worker-00.labels.tier: true is a boolean to YAML; put it in quotes'],
    ['cluster: hybrid', 'cluster: 2024', '2:10 cluster: 2024 is a number to YAML; put it in quotes'],
    ['user: ops', 'user: 1000', '15:14 ssh.user: 1000 is a number to YAML; put it in quotes'],
  ],
  'is missing or empty': [
    ['cluster: hybrid\n', '', '1:1 cluster is missing; write a DNS label like hybrid'],
    ['apiVersion: kbs/v1\n', '', '1:1 apiVersion is missing; write kbs/v1'],
    ['version: 1.36.2', 'proxy: ipvs', '3:1 kubernetes.version is missing; write a Kubernetes version like 1.36.3'],
    ['version: 1.36.2', 'version:', '4:3 kubernetes.version is empty; write a Kubernetes version like 1.36.3'],
    [
      'version: 1.36.2',
      'version: ""',
      '4:12 kubernetes.version: an empty text is not a Kubernetes version; write one like 1.36.3',
    ],
    [
      '  version: 1.36.2',
      '',
      '3:1 kubernetes is empty; write a map with keys of version, controlPlane, proxy, featureGates, apiServer, controllerManager, scheduler, etcd, kubelet, kubeProxy',
    ],
    ['10.244.0.0/16 #', '#', '6:3 network.pods is empty; write a network in CIDR form like 10.244.0.0/16'],
    [
      'address: 192.168.20.20\n',
      'address:\n',
      '20:5 hosts.worker-00.address is empty; write an IPv4 address like 192.168.10.10',
    ],
    [
      'address: 192.168.20.20\n',
      '\n',
      '19:3 hosts.worker-00.address is missing; write an IPv4 address like 192.168.10.10',
    ],
    ['address: 192.168.10.3, ', '', '17:3 hosts.lb-00.address is missing; write an IPv4 address like 192.168.10.10'],
    [
      'address: 192.168.10.3,',
      'address,',
      '17:12 hosts.lb-00.address is empty; write an IPv4 address like 192.168.10.10',
    ],
    ['    roles: [worker]\n', '    roles:\n', '21:5 hosts.worker-00.roles is empty; write a list like [worker]'],
    ['roles: [worker]', 'roles: []', '21:12 hosts.worker-00.roles: [] has no role; write a list like [worker]'],
    [
      'roles: [worker]',
      'roles: [~]',
      '21:13 hosts.worker-00.roles[0] is empty; write one of control-plane, worker, load-balancer, dns, router',
    ],
    [
      '{ user: ops }',
      '',
      '15:1 ssh is empty; write a map with keys of user, become, port, key, password, knownHosts, timeout, transport, jump, config',
    ],
    ['{ user: ops }', '{ port: }', '15:8 ssh.port is empty; write a whole number from 1 to 65535'],
    ['{ user: ops }', '{ key: }', '15:8 ssh.key is empty; write a path of a private key, or a list of paths'],
  ],
  'is not known': [
    [
      '      gateway: 192.168.20.1',
      '      gatewy: 192.168.20.1',
      '10:5 network.segments.rack.gateway is missing; where there are several segments, each needs the address of its router',
      '12:7 network.segments.rack.gatewy is not known; did you mean gateway?',
    ],
    [
      '    labels:',
      '    metal: yes\n    labels:',
      '22:5 hosts.worker-00.metal is not known; known are address, roles, addresses, ipv6, podCIDR, gpu, hypervisor, lab, labels, taints, kubelet, swap, packages, time, ssh',
    ],
    ['user: ops', 'usr: ops', '15:8 ssh.usr is not known; did you mean user?'],
    [
      '    labels:',
      '    gpu: nvida\n    labels:',
      '22:10 hosts.worker-00.gpu: nvida is not one of nvidia, amd, none; did you mean nvidia?',
    ],
    [
      '    labels:',
      '    gpu: { vendor: nvidia, timeslicing: 4, mig: double }\n    labels:',
      '22:28 hosts.worker-00.gpu.timeslicing is not known; did you mean timeSlicing?',
      '22:49 hosts.worker-00.gpu.mig: double is not one of none, single, mixed',
    ],
    [
      '    labels:',
      '    gpu: { driver: host }\n    labels:',
      '22:5 hosts.worker-00.gpu.vendor is missing; write one of nvidia, amd, none',
    ],
    ['kbs/v1', 'kbs/v2', '1:13 apiVersion: kbs/v2 is not known; write kbs/v1'],
    [
      '[worker]',
      '[wroker]',
      '21:13 hosts.worker-00.roles[0]: wroker is not one of control-plane, worker, load-balancer, dns, router; did you mean worker?',
    ],
    [
      '[load-balancer, dns]',
      '[load-balancer, ntp]',
      '17:58 hosts.lb-00.roles[1]: ntp is not one of control-plane, worker, load-balancer, dns, router',
    ],
    [
      '1.36.2',
      '1.34.1',
      '4:12 kubernetes.version: 1.34.1 is not in the catalogue; write one of 1.36.2, 1.36.10, 1.35.4',
    ],
    [
      'addresses: { office: 192.168.10.1, rack',
      'addresses: { office: 192.168.10.1, rak',
      '25:86 hosts.edge.addresses.rak: there is no segment rak; did you mean rack?',
    ],
  ],
  'has the wrong form': [
    ['[worker]', 'worker', '21:12 hosts.worker-00.roles: worker is not a list; write one like [worker]'],
    [
      '{ user: ops }',
      'ops',
      '15:6 ssh: ops is not a map with keys of user, become, port, key, password, knownHosts, timeout, transport, jump, config',
    ],
    [
      'user: ops',
      'user: "-oProxyCommand=touch x"',
      '15:14 ssh.user: -oProxyCommand=touch x is not a user name; use letters, digits, and inside the name also . _ @ and -',
    ],
    [
      'user: ops',
      'user: ops, key: "a\\eb"',
      '15:24 ssh.key: a b is not a path of a private key; leave out its control characters',
    ],
    [
      'roles: [worker]',
      'roles: [worker]\n    hypervisor: "pve\\u202e0"',
      '22:17 hosts.worker-00.hypervisor: pve\u202e0 is not a name; leave out its control characters',
    ],
    ['{ user: ops }', '{ port: 22x }', '15:14 ssh.port: 22x is not a whole number from 1 to 65535'],
    ['{ user: ops }', '{ port: 70000 }', '15:14 ssh.port: 70000 is not a whole number from 1 to 65535'],
    [
      '{ user: ops }',
      '{ key: [~] }',
      '15:14 ssh.key[0] is empty; write a path of a private key like ~/.ssh/id_ed25519',
    ],
    [
      '{ user: ops }',
      '{ jump: -oProxyCommand=id }',
      '15:14 ssh.jump: -oProxyCommand=id is not a jump host; write USER@HOST:PORT',
    ],
    ['{ user: ops }', '{ jump: bastion:0 }', '15:14 ssh.jump: bastion:0 is not a jump host; write USER@HOST:PORT'],
    [
      '{ user: ops }',
      '{ jump: "a,ops@b:2222" }',
      '15:14 ssh.jump: a,ops@b:2222 is not a jump host; write a list for several: [a, ops@b:2222]',
    ],
    ['{ user: ops }', '{ jump: [bastion, 22] }', '15:24 ssh.jump[1]: 22 is a number to YAML; put it in quotes'],
    ['{ user: ops }', '{ jump: { host: bastion, prot: 22 } }', '15:31 ssh.jump.prot is not known; did you mean port?'],
    [
      '{ user: ops }',
      '{ jump: [{ host: bastion, port: 0 }] }',
      '15:38 ssh.jump[0].port: 0 is not a whole number from 1 to 65535',
    ],
    [
      '{ user: ops }',
      '{ jump: { user: ops } }',
      '15:8 ssh.jump.host is missing; write the name or address of a host like bastion.example.com',
    ],
    [
      'vip: 192.168.10.5',
      'vip: 192.168.10.5, extraNames: [api.example.com, "*.example.com"]',
      '13:89 endpoint.extraNames[1]: *.example.com is not a DNS name or an IPv4 address; write one like api.example.com',
    ],
    ['vip: 192.168.10.5', 'external: yes', '13:50 endpoint.external: yes is not true or false'],
    ['1.36.2', 'v1.36.2', '4:12 kubernetes.version: v1.36.2 is not a Kubernetes version; leave out the v: 1.36.2'],
    [
      'address: 192.168.20.20',
      'address: 192.168.020.20',
      '20:14 hosts.worker-00.address: 192.168.020.20 is not an IPv4 address; leave out the leading zeros: 192.168.20.20',
    ],
    [
      'address: 192.168.20.20',
      'address: worker-00.lan',
      '20:14 hosts.worker-00.address: worker-00.lan is not an IPv4 address; write one like 192.168.10.10',
    ],
    [
      'address: 192.168.20.20',
      'address: fd00::20',
      '20:14 hosts.worker-00.address: fd00::20 is not an IPv4 address; kbs needs IPv4 here; IPv6 stands beside it, under `ipv6` (docs/dual-stack.md)',
    ],
    [
      '10.244.0.0/16',
      '10.244.0.1/16',
      '6:9 network.pods: 10.244.0.1/16 is not a network in CIDR form; with its host bits cleared it is 10.244.0.0/16',
    ],
    [
      '10.244.0.0/16',
      '10.244.0.0/33',
      '6:9 network.pods: 10.244.0.0/33 is not a network in CIDR form; write one like 10.244.0.0/16',
    ],
    [
      'name: api.hybrid.internal',
      'name: api.hybrid.internal.',
      '13:19 endpoint.name: api.hybrid.internal. is not a DNS name; leave out the last dot',
    ],
    [
      '  worker-00:\n',
      '  Worker_00:\n',
      '19:3 hosts.Worker_00: the name is not a DNS label; use at most 63 lower-case letters, digits and inner dashes',
    ],
    [
      '    rack:\n',
      '    rack 1:\n',
      '10:5 network.segments.rack 1: the name is not a DNS label; use at most 63 lower-case letters, digits and inner dashes',
      '25:86 hosts.edge.addresses.rack: there is no segment rack; did you mean rack 1?',
    ],
    [
      'tier:',
      '-tier:',
      '23:7 hosts.worker-00.labels.-tier: the key is not a label key; write one like example.com/tier',
    ],
    [
      'tier: training',
      'tier: for training',
      '23:13 hosts.worker-00.labels.tier: for training is not a label value; write one like training',
    ],
    [
      '=present:NoSchedule',
      '=present',
      '24:14 hosts.worker-00.taints[0]: nvidia.com/gpu=present is not a taint; write key=value:Effect or key:Effect; effects are NoSchedule, PreferNoSchedule and NoExecute',
    ],
  ],
  'is set by others': [
    [
      'tier: training',
      'kubernetes.io/arch: amd64',
      '23:7 hosts.worker-00.labels.kubernetes.io/arch: the kubelet sets this label itself; take it away',
    ],
    [
      'tier: training',
      'kbs.dev/machine: virtual',
      '23:7 hosts.worker-00.labels.kbs.dev/machine: labels of kbs.dev are set by kbs; take it away, or write another prefix',
    ],
    [
      'tier: training',
      'node-role.kubernetes.io/control-plane: ""',
      '23:7 hosts.worker-00.labels.node-role.kubernetes.io/control-plane: this label follows from the roles of the host; add the role control-plane, or take the label away',
    ],
    [
      'nvidia.com/gpu=present:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
      '24:14 hosts.worker-00.taints[0]: node.kubernetes.io/unschedulable is set and removed by Kubernetes itself; take it away',
    ],
    [
      'roles: [control-plane] }',
      'roles: [control-plane], taints: ["node-role.kubernetes.io/control-plane:NoSchedule"] }',
      '18:77 hosts.controller-00.taints[0]: node-role.kubernetes.io/control-plane:NoSchedule is set by kbs on every control plane that is no worker; take it away',
    ],
  ],
  'contradicts another field': [
    [
      '10.254.0.0/16',
      '10.244.128.0/17',
      '7:13 network.services: 10.244.128.0/17 overlaps network.pods, 10.244.0.0/16; every network needs addresses of its own',
    ],
    [
      '10.254.0.0/16',
      '10.254.0.0/29',
      '7:13 network.services: 10.254.0.0/29 has no tenth address, which is that of cluster DNS; write a /28 or larger',
    ],
    [
      '10.244.0.0/16',
      '10.244.0.0/26',
      '6:9 network.pods: 10.244.0.0/26 has room for one host, and the segments need 2 (office 1, rack 1); write a /25 or larger',
    ],
    [
      '      gateway: 192.168.20.1',
      '      gateway: 192.168.10.1',
      "12:16 network.segments.rack.gateway: 192.168.10.1 is outside its segment 192.168.20.0/24; write the router's address inside",
    ],
    [
      '      gateway: 192.168.20.1\n',
      '',
      '10:5 network.segments.rack.gateway is missing; where there are several segments, each needs the address of its router',
    ],
    [
      '      gateway: 192.168.20.1',
      '      gateway: 192.168.20.255',
      '12:16 network.segments.rack.gateway: 192.168.20.255 is the broadcast address of 192.168.20.0/24; write an address between its ends',
    ],
    [
      '      gateway: 192.168.20.1',
      '      gateway: 192.168.20.1\n      pods: 10.0.0.0/18',
      '13:13 network.segments.rack.pods: 10.0.0.0/18 is outside network.pods, 10.244.0.0/16; write a part of that',
    ],
    [
      'address: 192.168.20.20',
      'address: 192.168.10.3',
      '20:14 hosts.worker-00.address: 192.168.10.3 is already the address of lb-00; write another',
    ],
    [
      'address: 192.168.20.20',
      'address: 192.168.99.20',
      '20:14 hosts.worker-00.address: 192.168.99.20 is in no segment; they are office 192.168.10.0/24, rack 192.168.20.0/24',
    ],
    [
      'address: 192.168.20.20',
      'address: 192.168.20.0',
      '20:14 hosts.worker-00.address: 192.168.20.0 is the network address of segment rack; write an address between its ends',
    ],
    [
      '    labels:',
      '    podCIDR: 10.244.5.0/25\n    labels:',
      '22:14 hosts.worker-00.podCIDR: 10.244.5.0/25 has the wrong size; every host has a /24',
    ],
    [
      '    labels:',
      '    gpu: { vendor: amd, timeSlicing: 4 }\n    labels:',
      "22:25 hosts.worker-00.gpu.timeSlicing: only NVIDIA's GPUs have this setting, not amd",
    ],
    [
      '    labels:',
      '    gpu: { vendor: nvidia, timeSlicing: 4, mig: mixed }\n    labels:',
      '22:28 hosts.worker-00.gpu.timeSlicing: instances of `mig: mixed` are not shared; take it away, or write `mig: single`',
    ],
    [
      'roles: [load-balancer, dns]',
      'roles: [load-balancer, dns], gpu: amd',
      '17:64 hosts.lb-00.gpu: only control planes and workers are Kubernetes nodes; take it away, or add such a role',
    ],
    [
      '[control-plane]',
      '[worker]',
      '16:1 hosts: no host has the role control-plane; give it to one, or to three in separate places',
    ],
    [
      'roles: [worker]',
      'roles: [control-plane]',
      '16:1 hosts: 2 control planes make 2 etcd members, which survive no more failures than 1; have 1 or 3',
    ],
    [
      'vip: 192.168.10.5',
      'vip: 192.168.30.5',
      "13:45 endpoint.vip: 192.168.30.5 is outside every load balancer's segment; write a free address of 192.168.10.0/24",
    ],
    [
      'vip: 192.168.10.5',
      'vip: 192.168.10.10',
      '13:45 endpoint.vip: 192.168.10.10 is the address of controller-00; write one that no host has',
    ],
    [
      '[load-balancer, dns]',
      '[dns]',
      '13:45 endpoint.vip: 192.168.10.5 is held by no host; give one of its segment the role load-balancer, or write external: true',
    ],
    [
      'zone: hybrid.internal, ',
      '',
      '17:42 hosts.lb-00.roles: a dns host answers for dns.zone, which is missing; write one like hybrid.internal',
    ],
    [
      'upstreams: [192.168.10.1]',
      'upstreams: [127.0.0.53]',
      '14:43 dns.upstreams[0]: 127.0.0.53 is a loopback address, which in a pod is CoreDNS itself; write the address of a resolver',
    ],
    [
      'upstreams: [192.168.10.1]',
      'upstreams: [192.168.10.3]',
      '14:43 dns.upstreams[0]: 192.168.10.3 is lb-00, a dns host, which forwards queries to the upstreams itself',
    ],
    [
      'upstreams: [192.168.10.1]',
      'upstreams: [10.254.0.53, 10.244.3.3]',
      '14:43 dns.upstreams[0]: 10.254.0.53 is inside network.services, 10.254.0.0/16; write the address of a resolver outside the cluster, or another network.services',
      '14:56 dns.upstreams[1]: 10.244.3.3 is inside network.pods, 10.244.0.0/16; write the address of a resolver outside the cluster, or another network.pods',
    ],
    [
      'upstreams: [192.168.10.1]',
      'upstreams: [192.168.10.5]',
      '14:43 dns.upstreams[0]: 192.168.10.5 is endpoint.vip, where the API answers; write the address of a resolver',
    ],
    [
      'upstreams: [192.168.10.1]',
      'useOnHosts: true',
      '14:43 dns.useOnHosts: true needs dns.upstreams: the resolvers that answer for everything else',
    ],
    [
      '] }\nssh: { user: ops }\nhosts:\n  lb-00: { address: 192.168.10.3, roles: [load-balancer, dns] }',
      '], useOnHosts: true }\nssh: { user: ops }\nhosts:\n  lb-00: { address: 192.168.10.3, roles: [load-balancer] }',
      '14:70 dns.useOnHosts: true needs a host with the role dns, for the hosts to ask',
    ],
    [
      'ssh: {',
      'artifacts: { source: bundle }\nssh: {',
      '15:1 artifacts.bundle is missing; the source bundle needs the path of one',
    ],
    [
      'roles: [router], address: 192.168.10.1,',
      'roles: [router], address: 192.168.10.9,',
      "25:37 hosts.edge.address: 192.168.10.9 is none of the router's addresses; write one of 192.168.10.1, 192.168.20.1",
    ],
  ],
  'is said of add-ons': [
    ['ssh: {', 'addons: { storge: {} }\nssh: {', '15:11 addons.storge is not known; did you mean storage?'],
    [
      'ssh: {',
      'addons: { storage: {}, monitoring: { retention: 14 days } }\nssh: {',
      '15:49 addons.monitoring.retention: 14 days is not a time; write hours, days, weeks or years, such as 36h, 14d, 8w or 1y',
    ],
    [
      'ssh: {',
      'addons: { my-app: {} }\nssh: {',
      '15:11 addons.my-app is not known; known are metrics-server, storage, nfs-storage, load-balancer-services, ingress, cert-manager, dashboard, rancher, monitoring; a chart of your own needs `chart` and `namespace`',
    ],
    [
      'ssh: {',
      'addons: { storage: {}, nfs-storage: { server: nas, path: /srv, default: true } }\nssh: {',
      '15:73 addons.nfs-storage.default is true, and that of storage is too; write `storage: { default: false }`',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: ./my-app } }\nssh: {',
      '15:11 addons.my-app.namespace is missing; write a DNS label like my-app',
    ],
    [
      'ssh: {',
      'addons: { My-App: { chart: ./my-app, namespace: apps } }\nssh: {',
      '15:11 addons.My-App: the name is not a DNS label; use at most 63 lower-case letters, digits and inner dashes',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: "oci://example.com/my-app", namespace: apps } }\nssh: {',
      '15:11 addons.my-app.version is missing; write one like 1.2.3',
    ],
    [
      'ssh: {',
      'addons: { storage: { namespace: x } }\nssh: {',
      '15:22 addons.storage.namespace is not known; known are path, reclaim, default, chart, repository, version, sha256, values, timeout, adopt',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: "https://example.com/my-app.tgz", namespace: apps } }\nssh: {',
      '15:28 addons.my-app.chart: https://example.com/my-app.tgz is an address; write the address of its repository as `repository`, the name as `chart`, and `version`',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: "oci://example.com/my-app:1.0.0", version: 1.0.0, namespace: apps } }\nssh: {',
      '15:28 addons.my-app.chart: oci://example.com/my-app:1.0.0 is not like oci://example.com/charts/my-app; the tag is `version`',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: ./my-app, version: 1.0.0, namespace: apps } }\nssh: {',
      '15:47 addons.my-app.version is for a chart in a `repository` or at an oci:// address, and ./my-app is a path',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: my-app, repository: "http://example.com", version: 1.0.0, namespace: apps } }\nssh: {',
      '15:48 addons.my-app.repository: http://example.com is not an https address; write one like https://charts.example.com/stable',
    ],
    [
      'ssh: {',
      'addons: { my-app: { chart: my-app, repository: "https://example.com", version: 1.x, namespace: apps } }\nssh: {',
      '15:80 addons.my-app.version: 1.x is not a version of a chart; write one version with three numbers, like 1.2.3',
    ],
    [
      'ssh: {',
      'addons: { storage: { version: 1.0.0 } }\nssh: {',
      '15:31 addons.storage.version: belongs to a `chart`; write its name, or its oci:// address',
    ],
    [
      'ssh: {',
      'addons: { storage: { path: /a/../b } }\nssh: {',
      '15:28 addons.storage.path: /a/../b is not an absolute path; write one like /srv/volumes, of letters, digits and the signs _ @ % + = : , . -',
    ],
    [
      'ssh: {',
      'addons: { storage: { reclaim: delete } }\nssh: {',
      '15:31 addons.storage.reclaim: delete is not one of Delete, Retain; did you mean Delete?',
    ],
    [
      'ssh: {',
      'addons: { metrics-server: { values: [] } }\nssh: {',
      '15:37 addons.metrics-server.values: [] is not a map of values of the chart',
    ],
    [
      'ssh: {',
      'addons: { storage: }\nssh: {',
      '15:11 addons.storage is empty; write a map with keys of path, reclaim, default, chart, repository, version, sha256, values, timeout, adopt',
    ],
  ],
  'is said of addresses for Services': [
    ['ssh: {', 'addons: { load-balancer-services: { pool: 192.168.20.200-192.168.20.230 } }\nssh: {'],
    ['ssh: {', 'addons: { load-balancer-services: { pool: 192.168.20.64/27 } }\nssh: {'],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool:  } }\nssh: {',
      '15:37 addons.load-balancer-services.pool is empty; write a range of addresses like 192.168.10.200-192.168.10.230, or a list of ranges',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.230-192.168.20.200 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.230-192.168.20.200 is not a range of addresses; write 192.168.20.200-192.168.20.230',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.200 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.200 is not a range of addresses; write a single address as 192.168.20.200/32',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.200-230 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.200-230 is not a range of addresses; write one like 192.168.10.200-192.168.10.230',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: [] } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: [] holds no range; write one like 192.168.10.200-192.168.10.230',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: [192.168.20.70/27] } }\nssh: {',
      '15:44 addons.load-balancer-services.pool[0]: 192.168.20.70/27 is not a range of addresses; with its host bits cleared it is 192.168.20.64/27',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.200-192.168.21.5 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.200-192.168.21.5 is inside no segment; write a range of office (192.168.10.0/24) or rack (192.168.20.0/24)',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.0/27 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.0/27 holds 192.168.20.0, the network address of segment rack; 192.168.20.20, the address of worker-00; 192.168.20.1, the gateway of segment rack; write addresses that are free',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.20.250-192.168.20.255 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.20.250-192.168.20.255 holds 192.168.20.255, the broadcast address of segment rack; write addresses that are free',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: 192.168.10.200/29 } }\nssh: {',
      '15:43 addons.load-balancer-services.pool: 192.168.10.200/29 is in segment office, which has no worker to answer for its addresses',
    ],
    [
      'ssh: {',
      'addons: { load-balancer-services: { pool: [192.168.20.200/29, 192.168.20.204-192.168.20.210] } }\nssh: {',
      '15:63 addons.load-balancer-services.pool[1]: 192.168.20.204-192.168.20.210 overlaps 192.168.20.200/29, which is in the pool already',
    ],
    [
      'endpoint: { name: api.hybrid.internal, vip: 192.168.10.5 }',
      'addons: { load-balancer-services: { pool: 192.168.20.5/32 } }\nendpoint: { external: true, vip: 192.168.20.5 }',
      '13:43 addons.load-balancer-services.pool: 192.168.20.5/32 holds 192.168.20.5, endpoint.vip; write addresses that are free',
      '14:23 endpoint.external: true contradicts the role load-balancer of lb-00; remove one of the two',
    ],
    [
      '      gateway: 192.168.20.1\n',
      '      gateway: 192.168.20.1\n      dhcp: 192.168.20.100-192.168.20.210\naddons: { load-balancer-services: { pool: 192.168.20.200/29 } }\n',
      '14:43 addons.load-balancer-services.pool: 192.168.20.200/29 overlaps the addresses that DHCP hands out in segment rack, 192.168.20.100-192.168.20.210; write others',
    ],
    [
      '      gateway: 192.168.20.1\n',
      '      gateway: 192.168.20.1\n      dhcp: 192.168.10.100-192.168.10.210\n',
      '13:13 network.segments.rack.dhcp: 192.168.10.100-192.168.10.210 is not inside its segment 192.168.20.0/24; write the addresses that are handed out there',
    ],
  ],
};

describe.each(Object.entries(mistakes))('what %s is reported with its position and what to write', (_, rows) => {
  test.each(rows)('%j written as %j', (piece, by, ...expected) => {
    expect(said(broken(piece, by))).toEqual(expected);
  });
});

test.each([
  ['', 'is empty; write an inventory to start from with: kbs inventory init'],
  ['# nothing yet\n', 'is empty; write an inventory to start from with: kbs inventory init'],
  ['---\n', 'is empty; write an inventory to start from with: kbs inventory init'],
  [
    '- lb-00\n',
    'is not a map with keys of apiVersion, cluster, kubernetes, network, endpoint, loadBalancer, dns, ssh, artifacts, packages, time, proxy, registries, addons, swap, hosts',
  ],
  [
    'kbs\n',
    'is not a map with keys of apiVersion, cluster, kubernetes, network, endpoint, loadBalancer, dns, ssh, artifacts, packages, time, proxy, registries, addons, swap, hosts',
  ],
  [
    '42\n',
    'is not a map with keys of apiVersion, cluster, kubernetes, network, endpoint, loadBalancer, dns, ssh, artifacts, packages, time, proxy, registries, addons, swap, hosts',
  ],
])('a file of %j is no inventory', (text, expected) => {
  expect(said(text)).toEqual([`1:1 the file ${expected}`]);
});

describe('names with a meaning of their own', () => {
  test.each(['localhost', 'kubernetes', 'broadcasthost', 'ip6-localhost', 'ip6-allnodes'])('%s is no host', (name) => {
    expect(said(broken('  worker-00:', `  ${name}:`))).toEqual([
      `19:3 hosts.${name} is a name that stands for something else on every machine; write another`,
    ]);
  });

  test.each(['localhost', 'api.localhost', 'localhost.localdomain'])('%s is not the name of the API', (name) => {
    expect(said(broken('api.hybrid.internal', name))).toEqual([
      `13:19 endpoint.name: ${name} is a name that every machine has for itself; write another`,
    ]);
  });

  test.each([
    ['worker-00', 'worker-00'],
    ['controller-00.hybrid.internal', 'controller-00'],
    ['lb-00', 'lb-00'],
  ])('%s, a host that the API is not at, lends it no name', (name, host) => {
    expect(said(broken('api.hybrid.internal', name))).toEqual([
      `13:19 endpoint.name: ${name} is the name of the host ${host}, which has another address; write a name of its own`,
    ]);
  });

  test('the host that the API is at may lend it its name', () => {
    const without = (text: string) => text.replace(', vip: 192.168.10.5', '');
    expect(said(without(broken('api.hybrid.internal', 'lb-00.hybrid.internal')))).toEqual([]);
    expect(said(without(broken('api.hybrid.internal', 'controller-00')))).toHaveLength(1);
  });
});

describe('one way to the API', () => {
  const without = (piece: string, by = ''): string => broken(piece, by).replace(', vip: 192.168.10.5', '');
  const controllers = [20, 21, 22].map((n) => `  c-${n}: { address: 192.168.10.${n}, roles: [control-plane] }\n`);
  const three = (text: string): string =>
    text.replace(/ {2}controller-00: .*\n/, controllers.join('')).replace('[load-balancer, dns]', '[dns]');

  test.each([
    ['one load balancer at its own address', without('[worker]', '[worker]')],
    ['a load balancer that is the control plane, on another port', colocated('port: 8443, ')],
    ['a load balancer that is the control plane, and a virtual address', colocated('', ', vip: 192.168.10.5')],
    ['three control planes behind an external load balancer', three(without('name: api', 'external: true, name: api'))],
  ])('is %s', (_, text) => expect(said(text)).toEqual([]));

  test('is not the name of the first of three control planes', () => {
    expect(said(three(without('[worker]', '[worker]')))).toEqual([
      '16:1 hosts: 3 control planes need a load balancer before them; give one or two hosts the role load-balancer, or write endpoint.external: true for a load balancer outside the cluster',
    ]);
  });

  test('is not two load balancers that share no address', () => {
    expect(
      said(without('  worker-00:\n', '  lb-01: { address: 192.168.10.4, roles: [load-balancer] }\n  worker-00:\n')),
    ).toEqual([
      '19:42 hosts.lb-01.roles: 2 load balancers share endpoint.vip, which is missing; write a free address of their segment',
    ]);
  });

  test('is not one port for haproxy and the API server of the same host', () => {
    expect(said(colocated(''))).toEqual([
      '18:51 hosts.controller-00.roles: the API server has port 6443 of a control plane; write another endpoint.port, or an endpoint.vip for the load balancer',
    ]);
  });
});

/** Where the one load balancer is the control plane. */
function colocated(port: string, vip = ''): string {
  return good
    .replace('[load-balancer, dns]', '[dns]')
    .replace('[control-plane]', '[control-plane, load-balancer]')
    .replace('endpoint: { ', `endpoint: { ${port}`)
    .replace(', vip: 192.168.10.5', vip);
}

describe('a control plane whose components are systemd services', () => {
  const systemd = good.replace('version: 1.36.2', 'version: 1.36.2\n  controlPlane: systemd');
  const noNode = 'with controlPlane: systemd only workers are Kubernetes nodes; take it away, or add the role worker';

  test.each([
    ['labels', '{ tier: gold }'],
    ['taints', '["tier=gold:NoSchedule"]'],
    ['podCIDR', '10.244.5.0/24'],
    ['gpu', 'amd'],
  ])('is no Kubernetes node, so %s would be ignored', (field, value) => {
    const text = systemd.replace('[control-plane]', `[control-plane], ${field}: ${value}`);
    expect(said(text)).toEqual([`19:68 hosts.controller-00.${field}: ${noNode}`]);
    expect(said(text.replace('[control-plane]', '[control-plane, worker]'))).toEqual([]);
  });

  test('takes no room in the pod network', () => {
    const others = ['11', '12'].map((n) => `  controller-${n}: { address: 192.168.10.${n}, roles: [control-plane] }\n`);
    const crowded = (text: string): string => text.replace('10.244.0.0/16', '10.244.0.0/25').concat(...others);
    expect(said(crowded(good))).toEqual([
      '6:9 network.pods: 10.244.0.0/25 has room for 2 hosts, and the segments need 5 (office 4, rack 1); write a /23 or larger',
    ]);
    expect(said(crowded(systemd))).toEqual([]);
  });

  test('is not assumed where the style cannot be read', () => {
    const text = systemd.replace('systemd', 'sytemd').replace('[control-plane]', '[control-plane], labels: { a: b }');
    expect(said(text)).toEqual([
      '5:17 kubernetes.controlPlane: sytemd is not one of static-pods, systemd; did you mean systemd?',
    ]);
  });
});

describe('many mistakes', () => {
  test('are all reported beside keys that are wrong; the first of two that are the same is read', () => {
    const text = broken('[worker]', '[wroker]').replace('tier: training', '3: three').concat(
      '  lb-00: { address: nowhere, roles: [] }\n', // mistakes in a duplicate are not reported
      '  __proto__: { roles: [worker] }\n',
      '  worker-01: { address: 192.168.99.20, roles: [worker] }\n',
    );
    expect(said(text)).toEqual([
      '21:13 hosts.worker-00.roles[0]: wroker is not one of control-plane, worker, load-balancer, dns, router; did you mean worker?',
      '23:7 hosts.worker-00.labels.3: the key is not a text; put it in quotes',
      '26:3 hosts.lb-00 is there twice; remove one of the two',
      '27:3 hosts.__proto__ is not allowed as a name',
      '28:25 hosts.worker-01.address: 192.168.99.20 is in no segment; they are office 192.168.10.0/24, rack 192.168.20.0/24',
    ]);
  });

  const text = good
    .replace('kbs/v1', 'kbs/v2')
    .replace('1.36.2', '1.30')
    .replace('10.254.0.0/16', '10.244.0.0/24')
    .replace('address: 192.168.20.20', 'address: 192.168.10.3')
    .replace('[worker]', '[worker, wroker]')
    .replace('tier: training', 'tier: 3')
    .replace('user: ops', 'user: ops, prot: 22');

  it('are all reported at once, in the order of the file, and none twice', () => {
    expect(said(text)).toEqual([
      '1:13 apiVersion: kbs/v2 is not known; write kbs/v1',
      '4:12 kubernetes.version: 1.30 is a number to YAML; put it in quotes',
      '7:13 network.services: 10.244.0.0/24 overlaps network.pods, 10.244.0.0/16; every network needs addresses of its own',
      '15:19 ssh.prot is not known; did you mean port?',
      '20:14 hosts.worker-00.address: 192.168.10.3 is already the address of lb-00; write another',
      '21:21 hosts.worker-00.roles[1]: wroker is not one of control-plane, worker, load-balancer, dns, router; did you mean worker?',
      '23:13 hosts.worker-00.labels.tier: 3 is a number to YAML; put it in quotes',
    ]);
  });

  it('end with the exit status of a bad inventory', () => {
    expect(new Set(failures(text).map(({ code, exit }) => `${code} ${exit}`))).toEqual(new Set(['inventory 3']));
    expect(new Failures(failures(text)).exit).toBe(3);
  });
});

describe('a field that could not be read', () => {
  it('is not taken for one that is missing', () => {
    expect(said(broken('[control-plane]', '[controlplane]'))).toEqual([
      '18:52 hosts.controller-00.roles[0]: controlplane is not one of control-plane, worker, load-balancer, dns, router; did you mean control-plane?',
    ]);
    expect(said(broken('[load-balancer, dns]', '[loadbalancer]'))).toEqual([
      '17:43 hosts.lb-00.roles[0]: loadbalancer is not one of control-plane, worker, load-balancer, dns, router; did you mean load-balancer?',
    ]);
    expect(said(broken('[router]', '[ruter]'))).toEqual([
      '25:19 hosts.edge.roles[0]: ruter is not one of control-plane, worker, load-balancer, dns, router; did you mean router?',
    ]);
  });

  it('hides no mistake elsewhere', () => {
    const text = broken('cidr: 192.168.20.0/24', 'cidr: 192.168.20.0').replace('1.36.2', '1.30.1');
    expect(said(text)).toEqual([
      '4:12 kubernetes.version: 1.30.1 is not in the catalogue; write one of 1.36.2, 1.36.10, 1.35.4',
      '11:13 network.segments.rack.cidr: 192.168.20.0 is not a network in CIDR form; write one like 192.168.10.0/24',
    ]);
  });
});

describe('YAML beyond the plain', () => {
  it('anchors and aliases are read, and mistakes in them are reported where they are written', () => {
    const shared = good
      .replace('{ user: ops }', '{ user: &who ops }')
      .replace('[router], ', '[router], ssh: { user: *who }, ');
    expect(said(shared)).toEqual([]);
    expect(said(shared.replace('&who ops', '&who [ops]'))).toEqual([
      '15:19 ssh.user: ["ops"] is not a user name; write one like ops',
      '15:19 hosts.edge.ssh.user: ["ops"] is not a user name; write one like ops',
    ]);
  });

  it('one anchor may be used by hundreds of hosts', () => {
    const hosts = Array.from(
      { length: 120 },
      (_, n) => `  w-${n}: { address: 192.168.20.${n + 50}, roles: *worker }\n`,
    );
    expect(said(good.replace('roles: [worker]', 'roles: &worker [worker]') + hosts.join(''))).toEqual([]);
  });

  it('aliases that multiply without end are refused', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(10)}]`);
    expect(said(`l0: &l0 [0, 0, 0]\n${levels.join('\n')}\n`)).toEqual([
      '1:1 aliases of aliases stand for more than 100000 values; write some of them out',
    ]);
  });

  it('lines may end as on Windows, and begin with a byte order mark', () => {
    expect(said(good.replaceAll('\n', '\r\n'))).toEqual([]);
    expect(said(broken('1.36.2', '1.30').replaceAll('\n', '\r\n'))).toEqual([
      '4:12 kubernetes.version: 1.30 is a number to YAML; put it in quotes',
    ]);
    expect(said(`\uFEFF${good}`)).toEqual([]);
  });

  it('merge keys, which YAML 1.2 does not have, are named, and not what they were to bring', () => {
    const merging = good.replace('  controller-00: {', '  controller-00: &c {');
    expect(said(`${merging}  w-1: { <<: *c, address: 192.168.20.21 }\n`)).toEqual([
      '26:10 `<<` merges nothing in YAML 1.2; write the keys out that it stands for',
    ]);
  });

  it('keys that are numbers to YAML are named as they are written', () => {
    expect(said(broken('  worker-00:', '  0x1f:'))).toEqual([
      '19:3 hosts.0x1f: the key is not a text; put it in quotes',
    ]);
  });

  it('a file that is not UTF-8 is told, at the first byte that is none', () => {
    expect(said(Buffer.from(good, 'utf16le').toString('utf8'))).toEqual([
      '1:2 the file is not UTF-8 but, as it seems, UTF-16; save it as UTF-8',
    ]);
    const latin = Buffer.from(broken('# carved', '# für')).toString('utf8').replace('ü', '\uFFFD');
    expect(said(latin)).toEqual(['6:26 the file has a byte here that is not UTF-8; save it as UTF-8']);
  });

  it('a network of two addresses has room for a router and a host', () => {
    const far = good
      .replace('cidr: 192.168.20.0/24', 'cidr: 192.168.20.0/31')
      .replaceAll('192.168.20.1', '192.168.20.0');
    expect(said(far.replace('192.168.20.20', '192.168.20.1'))).toEqual([]);
  });

  it('a long value is shown in part, on one line', () => {
    const [line = ''] = said(broken('cluster: hybrid', `cluster: |\n  ${'long '.repeat(30)}\n  name`));
    expect(line).toMatch(/^2:10 cluster: long long .*… is not a DNS label; /);
  });
});
