import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { familyOf, nthAddress, prefixLength } from '../../src/inventory/addresses.js';
import type { Cluster, ClusterHost, RoutesByHost } from '../../src/inventory/cluster.js';
import { isRouter } from '../../src/inventory/cluster.js';
import { addressesOf, pathsOf } from '../../src/network/segments-graph.js';

/** A TCP connection: its source address, as each end sees it. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly seen: string;
}

export interface Pod {
  readonly host: string;
  readonly pod: string;
}

/** The cluster's network, made of namespaces. Every host holds the first address of its pod CIDR, as CNI's bridge does. */
export interface Namespaces {
  readonly pods: readonly Pod[];
  /** Connects from a pod address to each of the addresses. */
  connect(from: Pod, to: readonly string[]): Promise<readonly Connection[]>;
  connectAll(): Promise<readonly Connection[]>;
  /** Runs a shell script on a host. */
  run(host: string, script: string): string;
  end(): void;
}

/**
 * Builds the network of one family with those of the routes that are of it, and the nftables table on every host with
 * pods. The first router has an uplink.
 */
export const namespacesFor = async (cluster: Cluster, routes: RoutesByHost, table: string): Promise<Namespaces> => {
  const family = familyOf(cluster.network.pods);
  const prefix = `kbs-${randomBytes(3).toString('hex')}`;
  const nameOf = (machine: string): string => `${prefix}-${machine}`;
  const spaces: string[] = [];
  const servers: ChildProcess[] = [];
  const end = (): void => {
    for (const server of servers) server.kill('SIGKILL');
    for (const space of spaces) execFileSync('ip', ['netns', 'del', space]);
  };
  const add = (machine: string): void => {
    execFileSync('ip', ['netns', 'add', nameOf(machine)]);
    spaces.push(nameOf(machine));
  };
  const run = (machine: string, script: string): string =>
    execFileSync('ip', ['netns', 'exec', nameOf(machine), 'sh', '-eu'], { input: script, encoding: 'utf8' });

  try {
    for (const { name } of cluster.network.segments) {
      add(`lan-${name}`);
      run(`lan-${name}`, 'ip link add lan type bridge\nip link set lan up\n');
    }
    const outside = cluster.hosts.find(isRouter)?.name;
    for (const host of cluster.hosts) {
      add(host.name);
      run(
        host.name,
        setUp(cluster, host, (segment) => nameOf(`lan-${segment}`)),
      );
      if (host.name === outside)
        run(host.name, bridge('outside', family === 'ipv6' ? '2001:db8::1/64' : '203.0.113.1/24'));
      if (host.podCidr !== undefined) run(host.name, `nft -f - <<'END'\n${table}END\n`);
    }
    // After all links are up, as on hosts that have booted.
    for (const { name } of cluster.hosts) {
      const ours = (routes[name] ?? []).filter(({ to }) => familyOf(to) === family);
      const wanted = [...lanRoutes(cluster, name), ...ours];
      run(name, wanted.map(({ to, via }) => `ip route replace ${to} via ${via}\n`).join(''));
    }
    for (const { name } of cluster.hosts) {
      const server = spawn('ip', ['netns', 'exec', nameOf(name), process.execPath, '-e', serverProgram], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      servers.push(server);
      if (server.stdout !== null) await once(server.stdout, 'data');
    }
  } catch (error) {
    end();
    throw error;
  }

  const pods = cluster.hosts.flatMap(({ name, podCidr }) =>
    podCidr === undefined ? [] : [{ host: name, pod: nthAddress(podCidr, 1) }],
  );
  const connect = async (from: Pod, to: readonly string[]): Promise<readonly Connection[]> => {
    const command = ['netns', 'exec', nameOf(from.host), process.execPath, '-e', clientProgram, from.pod, ...to];
    const { stdout } = await promisify(execFile)('ip', command);
    return stdout
      .trim()
      .split('\n')
      .map((seen, n) => ({ from: from.pod, to: to[n] ?? '', seen }));
  };
  const connectAll = async (): Promise<readonly Connection[]> => {
    const others = (from: Pod): readonly string[] => pods.filter((to) => to !== from).map(({ pod }) => pod);
    return (await Promise.all(pods.map((from) => connect(from, others(from))))).flat();
  };
  return { pods, connect, connectAll, run, end };
};

const setUp = (cluster: Cluster, host: ClusterHost, lanOf: (segment: string) => string): string => {
  const interfaces = Object.entries(addressesOf(host)).map(([segment, address], n) => {
    const cidr = cluster.network.segments.find(({ name }) => name === segment)?.cidr ?? '';
    // A name of at most 15 characters, and one in the segment's namespace that no other host takes.
    const port = `p${address.replaceAll(/[.:]/g, '')}`.slice(-15);
    return `ip link add eth${n} type veth peer name ${port} netns ${lanOf(segment)}
ip -n ${lanOf(segment)} link set ${port} master lan up
ip address add ${address}/${prefixLength(cidr)} dev eth${n} ${nodad(address)}
ip link set eth${n} up
`;
  });
  const gateway = cluster.network.segments.find(({ name }) => name === host.segment)?.gateway;
  return [
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1\n',
    'sysctl -qw net.ipv6.conf.all.forwarding=1\n',
    'ip link set lo up\n',
    ...interfaces,
    host.podCidr === undefined ? '' : bridge('cni0', `${nthAddress(host.podCidr, 1)}/${prefixLength(host.podCidr)}`),
    gateway === undefined || isRouter(host) ? '' : `ip route add default via ${gateway}\n`,
  ].join('');
};

/** The routes of a working LAN that a router has before kbs: to the segments that it is not on. */
const lanRoutes = (cluster: Cluster, router: string): readonly { readonly to: string; readonly via: string }[] =>
  cluster.network.segments.flatMap(({ name, cidr }) => {
    const hop = pathsOf(cluster).fromRouter(router, name);
    return hop === undefined ? [] : [{ to: cidr, via: hop.via }];
  });

const bridge = (name: string, address: string): string =>
  `ip link add ${name} type bridge\nip address add ${address} dev ${name} ${nodad(address)}\nip link set ${name} up\n`;

/** Without looking for duplicates first, for which programs would have to wait. */
const nodad = (address: string): string => (familyOf(address) === 'ipv6' ? 'nodad' : '');

const serverProgram = `require('node:net')
  .createServer((socket) => socket.end(socket.remoteAddress.replace('::ffff:', '')))
  .listen(7000, '::', () => console.log('listening'));`;

const clientProgram = `const [localAddress, ...targets] = process.argv.slice(1);
const ask = (host) => new Promise((resolve) => {
  const socket = require('node:net').connect({ host, port: 7000, localAddress, timeout: 3000 });
  let seen = '';
  socket.on('data', (data) => { seen += data; });
  socket.on('timeout', () => { seen = 'timeout'; socket.destroy(); });
  socket.on('error', (error) => { seen = error.code; });
  socket.on('close', () => resolve(seen));
});
Promise.all(targets.map(ask)).then((all) => console.log(all.join('\\n')));`;
