import { z } from 'zod';
import {
  address,
  addressRange,
  anyText,
  cidr,
  dnsLabel,
  dnsName,
  hostName,
  httpsAddress,
  internetHost,
  isMissing,
  jumpHost,
  jumpProblem,
  labelKey,
  labelValue,
  recordName,
  registryName,
  serverName,
  taint,
  userName,
  version,
  webAddress,
  withExample,
} from './formats.js';
import { addons } from './schema-addons.js';
import { components, fields } from './schema-components.js';
import { choice, choiceProblem, integer, keys, list, map, text } from './schema-fields.js';

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

const keyFile = text(anyText('a path of a private key', '~/.ssh/id_ed25519'), 'A path.');

const keyFiles = z.union([keyFile, z.array(keyFile)], {
  error: ({ input }) =>
    isMissing(input)
      ? 'write a path of a private key, or a list of paths'
      : 'is neither a path of a private key nor a list of such paths; write one like ~/.ssh/id_ed25519',
});

const jumpText = text(jumpHost, 'A jump host.');

const jumpMap = keys(
  'Jump host',
  {
    host: text(hostName, 'Its address, its DNS name, or the name of a host of this inventory.'),
    user: text(userName, 'The user that logs in there. Default: that of the host behind it.').optional(),
    port: integer(1, 65535, 'The port of its sshd. Default: `22`.').optional(),
    key: keyFiles
      .optional()
      .meta({ description: 'Private keys to log in there with. Default: those of the host behind it.' }),
  },
  'A jump host in detail.',
);

const jump = z
  .union([jumpText, jumpMap, z.array(z.union([jumpText, jumpMap], { error: ({ input }) => jumpProblem(input) }))], {
    error: ({ input }) => jumpProblem(input),
  })
  .meta({
    description:
      'The jump host on the way: `USER@HOST:PORT`, a map with `host`, `user`, `port` and `key`, or a list of those, the first one first. `HOST` may be a host of this inventory. `none`: no jump host. Default: `none`, see docs/ssh.md.',
    examples: ['ops@bastion.example.com:2222'],
  });

const ssh = (description: string) =>
  keys(
    'SSH',
    {
      user: text(userName, 'The user that logs in. Default: `root`.').optional(),
      become: choice(
        ['none', 'sudo', 'doas'],
        'How that user becomes root. kbs asks for the password that `sudo` wants, or reads it from `KBS_SUDO_PASSWORD`; `doas` must want none. `root` needs nothing. Default: `sudo`.',
      ).optional(),
      port: integer(1, 65535, 'The port of sshd. Default: `22`.').optional(),
      key: keyFiles.optional().meta({
        description:
          'Private keys to log in with: one path or a list. `~` is your home; other paths start at the folder of this file. kbs asks for a passphrase, or reads it from `KBS_SSH_PASSPHRASE`. Default: the keys that ssh itself would try. After them come the other keys of your agent.',
        examples: ['~/.ssh/id_ed25519'],
      }),
      password: choice(
        ['ask'],
        'Log in with a password, too, where a host takes no key or wants both: kbs asks for it once, or reads it from `KBS_SSH_PASSWORD`. Default: keys alone.',
      ).optional(),
      knownHosts: text(
        anyText('a path', '~/.ssh/known_hosts'),
        'The file of known host keys. Default: `~/.ssh/known_hosts`.',
      ).optional(),
      timeout: integer(
        1,
        600,
        'The seconds that a connection may take, and as many again the login. Default: `10`.',
      ).optional(),
      transport: choice(
        ['ssh', 'openssh', 'local'],
        "`openssh`: the host is reached by your machine's own `ssh`, with ProxyCommand, certificates, security keys and second factors, see docs/ssh.md. `local`: the host is this very machine, and no SSH is used. Default: `ssh`.",
      ).optional(),
      jump: jump.optional(),
      config: choice(
        ['default', 'none'],
        '`none`: kbs ignores the configuration of ssh on your machine. `default`: what is not written here, ~/.ssh/config and /etc/ssh/ssh_config may say, as for `ssh ADDRESS`. Default: `default`.',
      ).optional(),
    },
    description,
  );

const swap = (description: string) =>
  keys(
    'Swap',
    {
      behavior: choice(
        ['none', 'NoSwap', 'LimitedSwap'],
        '`none`: kbs switches swap off. `NoSwap`: the host keeps its swap, and pods use none. `LimitedSwap`: pods whose requests are below their limits use a share of it, by the memory that they request.',
      ),
    },
    description,
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
    dhcp: text(
      withExample(addressRange, '192.168.10.100-192.168.10.199'),
      'The addresses that a DHCP server hands out here, so that kbs does not use them: `FIRST-LAST` or a CIDR.',
    ).optional(),
  },
  'One L2 network.',
);

const gpuVendors = ['nvidia', 'amd', 'none'] as const;

const gpu = z
  .union(
    [
      choice(gpuVendors, 'The maker.'),
      keys(
        'GPU',
        {
          vendor: choice(gpuVendors, 'The maker of the GPUs. `none`: pods get none, and kbs does not propose them.'),
          count: integer(
            1,
            64,
            'How many GPUs the host has: `kbs topology` and `kbs what-if` count them without asking it. The preflight check `gpu-count` warns where the machine has another number.',
          ).optional(),
          driver: choice(
            ['host', 'distribution'],
            'Where the driver comes from. `host`: it is there, and kbs leaves it as it is. `distribution`: where there is none, kbs installs the packages of the distribution. Default: `host`.',
          ).optional(),
          timeSlicing: integer(
            2,
            64,
            'How many pods share one GPU by taking turns, without a limit of memory between them. Default: each pod has its GPUs for itself.',
          ).optional(),
          mig: choice(
            ['none', 'single', 'mixed'],
            'How the instances of partitioned GPUs (MIG) are offered. `none`: not at all. `single`: as `nvidia.com/gpu`, where all are alike. `mixed`: each profile under its own name. Needed where MIG is on.',
          ).optional(),
        },
        'The GPUs of a host in detail.',
      ),
    ],
    {
      error: ({ input }) =>
        isMissing(input)
          ? `write one of ${gpuVendors.join(', ')}, or a map like { vendor: nvidia, timeSlicing: 4 }`
          : choiceProblem(gpuVendors, input),
    },
  )
  .meta({
    description:
      'The maker of the GPUs in this host: `nvidia`, `amd`, or `none` to leave them alone; or a map with `vendor`, `count`, `driver` (`host`, `distribution`), `timeSlicing` and `mig` (`none`, `single`, `mixed`), see docs/gpu.md.',
    examples: ['nvidia'],
  });

const lab = keys(
  'Lab',
  {
    platform: choice(
      ['container', 'vm'],
      '`container`: a systemd machine that shares the kernel of the machine the lab is on. `vm`: a QEMU guest with a kernel of its own. Default: `container`.',
    ).optional(),
    image: choice(['debian-13', 'debian-12'], 'The system of a guest. Default: `debian-13`.').optional(),
    memory: integer(512, 65_536, 'The memory of a guest, in MiB. Default: `2048`.').optional(),
    cpus: integer(1, 64, 'The processors of a guest. Default: `2`.').optional(),
  },
  'How `kbs lab` plays this host; all other commands ignore it.',
);

const packages = (description: string) =>
  keys(
    'Packages',
    {
      source: choice(
        ['auto', 'bundle', 'host', 'none'],
        "Where they come from. `host`: the host's own package sources, by apt or dnf. `bundle`: the bundle, as far as it has those of the host's distribution. `auto`: the host's own sources, else the bundle. `none`: you install them. Default: `auto`.",
      ),
    },
    description,
  );

const time = (description: string) =>
  keys(
    'Time',
    {
      servers: list(
        text(serverName, 'A DNS name or an IPv4 address.'),
        '[ntp.lan, 192.168.10.1]',
        'The time servers that the host asks, by systemd-timesyncd or chrony, whichever it has.',
      ).min(1, { error: () => 'has no server; write a list like [ntp.lan]' }),
    },
    description,
  );

const host = keys(
  'Host',
  {
    address: text(
      address,
      "The host's address in its segment: where SSH goes, and what the kubelet calls itself. The segment is the one whose CIDR holds it.",
    ),
    roles: list(
      choice(['control-plane', 'worker', 'load-balancer', 'dns', 'router'], 'A role.'),
      '[worker]',
      'What the host does. `control-plane`: API server and etcd. `worker`: runs pods. `load-balancer`: holds the virtual address. `dns`: answers for the LAN. `router`: joins segments, and kbs sets its routes.',
    ).min(1, { error: () => 'has no role; write a list like [worker]' }),
    addresses: map(
      'addresses by segment',
      dnsLabel,
      text(address, 'An address.'),
      'For routers: the address in every segment that the router joins, by the name of the segment.',
    ).optional(),
    podCIDR: text(
      withExample(cidr, '10.244.10.0/24'),
      "The addresses of this host's pods. kbs chooses them, and writes them here where they would otherwise change.",
    ).optional(),
    gpu: gpu.optional(),
    hypervisor: text(
      anyText('a name', 'pve-00'),
      'The machine that this one is a guest of: `kbs what-if` takes its guests to fail together.',
    ).optional(),
    lab: lab.optional(),
    labels: map(
      'texts',
      labelKey,
      text(labelValue, 'A value.'),
      'Labels of the Kubernetes node. One that is taken away here is taken away there; those that others set stay.',
    ).optional(),
    taints: list(
      text(taint, 'A taint.'),
      '["nvidia.com/gpu=present:NoSchedule"]',
      'Taints of the Kubernetes node: `key=value:Effect` or `key:Effect`. One that is taken away here is taken away there; those that others set stay.',
    ).optional(),
    kubelet: fields(
      '{ maxPods: 200 }',
      'Fields of the KubeletConfiguration of this node, over those of `kubernetes.kubelet`, each as a whole: `{ systemReserved: { memory: 1Gi } }`.',
    ).optional(),
    swap: swap('Swap of this node, where that differs from `swap` above.').optional(),
    packages: packages('The same for this host, in place of `packages` above.').optional(),
    time: time('The same for this host, in place of `time` above.').optional(),
    ssh: ssh('How to log in here, where that differs from `ssh` above.').optional(),
  },
  'One machine.',
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

const registry = keys(
  'Registry',
  {
    mirrors: list(
      text(webAddress, 'An address; what the mirror keeps the registry under follows, as https://mirror.lan/hub.'),
      '[https://mirror.lan]',
      'Mirrors, asked in this order before the registry itself.',
    ).optional(),
    plainHttp: z
      .boolean({ error: () => 'is not true or false' })
      .describe('Whether the registry itself speaks HTTP without TLS. Default: `false`.')
      .optional(),
    ca: text(
      anyText('a path', './lan-ca.crt'),
      "A file of PEM certificates: the authorities of the registry and its mirrors, in place of the host's. Starts at the folder of this file.",
    ).optional(),
    auth: keys(
      'Registry credentials',
      {
        username: text(anyText('a user name', 'puller'), 'The user that containerd logs in as.'),
        passwordFile: text(
          anyText('a path', './registry-password'),
          'A file whose first line is the password, on your machine; starts at the folder of this file.',
        ).optional(),
        passwordVariable: text(
          anyText('the name of a variable', 'REGISTRY_PASSWORD'),
          'The variable of the environment of kbs that holds the password, in place of a file.',
        ).optional(),
      },
      'How containerd logs in at this registry, also where it is a mirror of another one.',
    ).optional(),
  },
  'One registry.',
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
        bundle: text(
          anyText('a path', './bundle'),
          'The bundle: a folder or an archive; starts at the folder of this file.',
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
    proxy: keys(
      'Proxy',
      {
        url: text(webAddress, 'The address of the HTTP proxy, for images from `http` and `https` registries.'),
        exclude: list(
          text(
            anyText('a name, a domain, an address or a CIDR', 'registry.lan'),
            'A name, a domain, an address or a CIDR.',
          ),
          '[registry.lan, .corp.example, 10.0.0.0/8]',
          "What is reached without it, besides the cluster's own networks and names.",
        ).optional(),
      },
      'The proxy through which containerd pulls images. Hosts, pods and kbs itself do not use it.',
    ).optional(),
    registries: map(
      'registries by name',
      registryName,
      registry,
      'How containerd reaches registries, by what stands before the first slash of an image; `*`: all that are not named.',
    ).optional(),
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
