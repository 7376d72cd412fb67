import { z } from 'zod';
import {
  address,
  addressRange,
  anyText,
  cidr,
  dnsLabel,
  dnsName,
  httpsAddress,
  internetHost,
  ipv6Address,
  ipv6Cidr,
  isMissing,
  recordName,
  serverName,
  version,
  withExample,
} from '../formats.js';
import { addons } from './addons.js';
import { components } from './components.js';
import { choice, integer, keys, list, map, text } from './fields.js';
import { host } from './hosts.js';
import { pullProxy, registries } from './registries.js';
import { ssh } from './ssh.js';
import { packages, swap, time } from './system.js';

/** The values of fields that the inventory leaves out. */
export const defaults = {
  pods: '10.244.0.0/16',
  services: '10.96.0.0/16',
  domain: 'cluster.local',
  port: 6443,
  volumes: '/opt/local-path-provisioner',
  addonTimeout: 300,
  rancherReplicas: 3,
  retention: '14d',
  acmeServer: 'https://acme-v02.api.letsencrypt.org/directory',
} as const;

const segmentIpv6 = keys(
  'IPv6 of a segment',
  {
    cidr: text(withExample(ipv6Cidr, 'fd00:192:168:10::/64'), 'The IPv6 addresses of this segment.'),
    gateway: text(
      withExample(ipv6Address, 'fd00:192:168:10::1'),
      "The router's IPv6 address in this segment, not a link-local one. Needed as soon as there is more than one segment.",
    ).optional(),
  },
  'The IPv6 half of a segment, in a cluster of both families.',
);

const ipv6 = keys(
  'IPv6',
  {
    pods: text(
      ipv6Cidr,
      "All IPv6 addresses of pods. A node's part has the place that its IPv4 part has in `network.pods`.",
    ),
    services: text(
      withExample(ipv6Cidr, 'fd00:10:254::/112'),
      'All IPv6 addresses of Services, at most a /108, as the API server takes no more.',
    ),
    nodePrefix: integer(64, 126, "The length of a node's part of `pods`.").default(64),
  },
  'The IPv6 half of a cluster of both families. Every segment and every host of Kubernetes then has an `ipv6` too.',
);

const segment = keys(
  'Segment',
  {
    cidr: text(withExample(cidr, '192.168.10.0/24'), 'The addresses of this segment.'),
    gateway: text(
      withExample(address, '192.168.10.1'),
      "The router's address in this segment. Needed as soon as there is more than one segment.",
    ).optional(),
    pods: text(
      withExample(cidr, '10.244.64.0/18'),
      "The part of `network.pods` that this segment's hosts are carved from. kbs chooses it, and writes it here where it would otherwise change.",
    ).optional(),
    mtu: integer(
      576,
      9216,
      "The largest packet of this segment's pods, in bytes: no more than the segment carries. Default: 1500, the kernel's own.",
    ).optional(),
    ipv6: segmentIpv6.optional(),
    dhcp: text(
      withExample(addressRange, '192.168.10.100-192.168.10.199'),
      'The addresses that a DHCP server hands out here, so that kbs does not use them: `FIRST-LAST` or a CIDR.',
    ).optional(),
  },
  'One L2 network.',
);

const target = text(anyText('a role or the name of a host', 'workers'), 'A role or the name of a host.');

const forward = keys(
  'Forward',
  {
    port: integer(1, 65535, 'The port on the load balancers, at the virtual address too.'),
    to: z
      .union([target, z.array(target).min(1, { error: () => 'names no host; write workers, or names of hosts' })], {
        error: ({ input }) =>
          isMissing(input)
            ? 'write workers, control-planes, nodes, or names of hosts'
            : 'is neither a role nor a list of hosts; write workers, control-planes, nodes, or names of hosts',
      })
      .meta({
        description:
          'Where connections go: `workers`, `control-planes`, `nodes`, the name of a host, or a list of those. Each is checked twice a second, and left out while nothing there takes connections.',
        examples: ['workers'],
      }),
    targetPort: integer(
      1,
      65535,
      'The port on the targets, such as the NodePort of a Service. Default: `port`.',
    ).optional(),
    proxyProtocol: z
      .boolean({ error: () => 'is not true or false' })
      .describe(
        'Whether targets are told the address of the client, by PROXY protocol version 2. They must be set up to expect it.',
      )
      .default(false),
  },
  'A TCP port that every load balancer passes on.',
);

/** The inventory as a user writes it; its output has the defaults filled in. */
export const inventorySchema = keys(
  'kbs inventory',
  {
    apiVersion: choice(['kbs/v1'], 'The version of this format.'),
    cluster: text(withExample(dnsLabel, 'hybrid'), 'The name of the cluster, a DNS label.'),
    kubernetes: keys(
      'Kubernetes',
      {
        version: text(
          version,
          'The version of Kubernetes, as a text. Minor only, `"1.36"`, means the newest that the catalogue knows.',
        ),
        controlPlane: choice(
          ['static-pods', 'systemd'],
          'How the control plane runs. `static-pods`: as kubeadm does it. `systemd`: every component a service, binaries in /usr/local/bin.',
        ).default('static-pods'),
        proxy: choice(['nftables', 'iptables', 'ipvs'], 'How kube-proxy sends Service traffic to pods.').default(
          'nftables',
        ),
        ...components,
      },
      'The Kubernetes to install.',
    ),
    network: keys(
      'Networks',
      {
        pods: text(cidr, 'All addresses of pods; carved per segment, then per host.').default(defaults.pods),
        services: text(withExample(cidr, defaults.services), 'All addresses of Services.').default(defaults.services),
        domain: text(withExample(dnsName, defaults.domain), 'The DNS domain of Services.').default(defaults.domain),
        ipv6: ipv6.optional(),
        segments: map(
          'segments by name',
          dnsLabel,
          segment,
          'The L2 networks that the hosts are in, by name. A name is a DNS label; nodes carry it as their zone.',
        ),
      },
      'Networks. None of them may overlap.',
    ),
    endpoint: keys(
      'Endpoint',
      {
        name: text(dnsName, 'The DNS name that clients use.').optional(),
        vip: text(
          withExample(address, '192.168.10.5'),
          'The virtual address that the load balancers hold: a free one of their segment.',
        ).optional(),
        port: integer(1, 65535, 'The port.').default(defaults.port),
        external: z
          .boolean({ error: () => 'is not true or false' })
          .describe('A load balancer outside the cluster serves the endpoint, and kbs installs none.')
          .default(false),
        ingress: z
          .boolean({ error: () => 'is not true or false' })
          .describe(
            'Whether the load balancers pass 80 and 443 on to the add-on `ingress`, which is told the address of the client. Default: `false`, and clients go to a worker.',
          )
          .default(false),
        extraNames: list(
          text(serverName, 'A DNS name or an IPv4 address.'),
          '[api.example.com, 203.0.113.5]',
          "Other names and addresses that clients use, behind a port forwarding for example: the API servers' certificates hold them too.",
        ).optional(),
        routerId: integer(
          1,
          255,
          'The VRRP virtual router id that the load balancers share. Default: one that kbs chooses.',
        ).optional(),
      },
      'Where clients reach the API. Optional with one control plane.',
    ).optional(),
    loadBalancer: keys(
      'Load balancer',
      {
        forward: list(forward, '[{ port: 443, to: workers, targetPort: 30443 }]', 'TCP ports that are passed on.'),
      },
      'What the `load-balancer` hosts do besides passing the API on.',
    ).optional(),
    dns: keys(
      'DNS',
      {
        zone: text(
          withExample(dnsName, 'hybrid.internal'),
          'The zone that the `dns` hosts answer for: every host, and the API.',
        ).optional(),
        upstreams: list(
          text(withExample(address, '192.168.10.1'), 'An address.'),
          '[192.168.10.1]',
          "Resolvers for everything else. Default: the hosts' own.",
        ).optional(),
        useOnHosts: z
          .boolean({ error: () => 'is not true or false' })
          .describe('Whether every host asks the `dns` hosts. Default: `false`, and resolvers stay as they are.')
          .default(false),
        records: map(
          'names of the zone',
          recordName,
          text(
            anyText('VIP, an IPv4 address or the name of a host', 'VIP'),
            '`VIP`: the address of the endpoint, which the load balancers hold; or an address, or the name of a host.',
          ),
          'Other names of the zone, without the zone, and what they lead to: `grafana: VIP`. `*.apps` stands for every name below `apps`.',
        ).optional(),
      },
      'Names outside the cluster.',
    ).optional(),
    ssh: ssh('How to log in everywhere; any host may differ under its own `ssh`.').optional(),
    artifacts: keys(
      'Artifacts',
      {
        source: choice(
          ['auto', 'upstream', 'bundle', 'go-modules'],
          'Where binaries and images come from. `bundle`: the one named below. `go-modules`: the one that `kbs bundle build` made. `upstream`: what the projects publish, downloaded when it is first needed. `auto`: the bundle named below, else the one that was built, else `upstream`.',
        ).default('auto'),
        fetch: choice(
          ['operator', 'hosts'],
          'Who downloads it, for the source `upstream`. `operator`: the machine that kbs runs on, which sends it to hosts over SSH. `hosts`: each host for itself, by curl or wget and containerd, through `proxy` and `mirrors`.',
        ).default('operator'),
        bundle: text(
          anyText('a path', './bundle'),
          'The bundle: a folder or an archive; starts at the folder of this file.',
        ).optional(),
        pins: text(
          anyText('a path', './pins.json'),
          'A JSON file of address, or image, and the sha256 that it must have, in place of those that kbs knows, for `upstream`; starts at the folder of this file.',
        ).optional(),
        mirrors: map(
          'hosts of the internet',
          internetHost,
          text(httpsAddress, 'An address; what is asked of the host follows, as https://mirror.lan/k8s.'),
          'What is asked instead of a host of the internet, such as `dl.k8s.io`, `github.com` or `registry.k8s.io`, for `upstream`.',
        ).optional(),
      },
      'Where binaries and images come from.',
    ).prefault({}),
    packages: packages(
      'Packages of the operating system that a host lacks: nftables, and haproxy and keepalived on load balancers. Those that are there stay.',
    ).optional(),
    time: time('How the clocks of hosts are kept in step. Default: as they are.').optional(),
    proxy: pullProxy.optional(),
    registries: registries.optional(),
    addons: addons.optional(),
    swap: swap('Swap of the nodes. What stays on needs cgroup v2. Default: `{ behavior: none }`.').optional(),
    hosts: map('hosts by name', dnsLabel, host, 'The machines, by name. A name is a DNS label.'),
  },
  'The file that describes a cluster.',
);

/** The inventory as written, before defaults. */
export type InventoryText = z.input<typeof inventorySchema>;

/** An inventory in which every field is right by itself and defaults are filled in. */
export type Inventory = Frozen<z.output<typeof inventorySchema>>;
export type InventoryHost = Inventory['hosts'][string];
export type InventorySsh = NonNullable<Inventory['ssh']>;

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
