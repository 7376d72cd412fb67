import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { balancerHealthPort, type Cluster, type ClusterHost } from '../../../src/inventory/cluster.js';
import { loadBalancer } from '../../../src/phases/load-balancer/load-balancer.js';
import type { PhaseContext } from '../../../src/phases/phase.js';
import type { UnitResource } from '../../../src/resources/resource.js';
import { createWorld, type World } from '../../resources/overlay-host.js';
import { apply } from '../../resources/reconcile.js';
import { contextOf } from '../../support/site.js';

/** The hosts of a cluster of one segment, each with a kernel's network of its own, joined by a bridge. */
export interface Lan {
  world(host: string): World;
  end(): Promise<void>;
}

export const lanOf = async (cluster: Cluster, hosts = cluster.hosts): Promise<Lan> => {
  const [bridge, ...machines] = await Promise.all([createWorld(), ...hosts.map(() => createWorld())]);
  const worlds = new Map(hosts.map(({ name }, n) => [name, machines[n]]));
  const world = (host: string): World => {
    const found = worlds.get(host);
    if (!found) throw new Error(`there is no host ${host}`);
    return found;
  };
  await bridge.run('ip link add lan type bridge; ip link set lan up');
  for (const [n, { name, address }] of hosts.entries()) {
    execFileSync('nsenter', [
      ...['-t', `${bridge.pid}`, '-n', 'ip', 'link', 'add', `port${n}`, 'type', 'veth'],
      ...['peer', 'name', 'eth0', 'netns', `${world(name).pid}`],
    ]);
    await bridge.run(`ip link set port${n} master lan up`);
    await world(name).run(`ip link set lo up; ip address add ${address}/24 dev eth0; ip link set eth0 up`);
  }
  return { world, end: async () => void (await Promise.all([bridge, ...machines].map((each) => each.end()))) };
};

/** A site whose cluster CA is a real one, and API servers that it vouches for; `end` takes the keys away. */
export const authority = (cluster: Cluster) => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-balancers-'));
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=kubernetes', '-days', '2');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const context: PhaseContext = contextOf(cluster, { routes: [{ to: '192.168.10.0/24', device: 'eth0' }] });
  return {
    site: { ...context, credentials: { ...context.credentials, clusterCa: read('ca.crt') } },
    /** Runs in the background; `/readyz` answers with what /run/readyz holds, and every path with the host's name. */
    async serve({ name, address }: ClusterHost, world: World): Promise<void> {
      const names = ['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=DNS:${name},IP:${address}`];
      openssl('req', '-x509', '-CA', 'ca.crt', '-CAkey', 'ca.key', ...key, '-keyout', 'key', '-out', 'crt', ...names);
      await world.run(`echo '${read('key')}' >/run/key; echo '${read('crt')}' >/run/crt; echo 200 >/run/readyz
cat >/run/server.js <<'END'
const { readFileSync } = require('node:fs');
require('node:https').createServer({ key: readFileSync('/run/key'), cert: readFileSync('/run/crt') }, (request, answer) => {
  answer.writeHead(request.url === '/readyz' ? Number(readFileSync('/run/readyz')) : 200);
  answer.end('${name}');
}).listen(6443, '${address}');
END
setsid '${process.execPath}' /run/server.js </dev/null >/dev/null 2>&1 &`);
    },
    end: () => rmSync(folder, { recursive: true }),
  };
};

/** The services of a load balancer whose files are those of its phase. */
export const balancer = async (
  host: ClusterHost,
  context: PhaseContext,
  world: World,
): Promise<Record<string, Service>> => {
  const resources = loadBalancer.resources(host, context);
  await apply(
    world,
    resources.filter(({ kind }) => kind === 'file'),
  );
  const units = resources.filter((resource) => resource.kind === 'unit');
  return Object.fromEntries(units.map((unit) => [unit.name.replace('.service', ''), serviceOf(unit, world)]));
};

export interface Service {
  start(): Promise<void>;
  /** As `systemctl stop`. */
  stop(): Promise<void>;
  /** As `systemctl reload`. */
  reload(): Promise<void>;
  /** All at once, without a word, and not started again. */
  kill(): Promise<void>;
  log(): Promise<string>;
}

/** What systemd does with the unit, as far as a machine without systemd can: its commands, its user, its capabilities. */
const serviceOf = ({ name, text }: UnitResource, world: World): Service => {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  const all = (setting: string): string =>
    lines.flatMap((line) => (line.startsWith(`${setting}=`) ? [line.slice(setting.length + 1)] : [])).join('\n');
  const only = (setting: string): string =>
    `-all${all(setting)
      .toLowerCase()
      .replaceAll(/ ?cap_/g, ',+')}`;
  const [user, bounds, ambient] = [all('User') || 'root', only('CapabilityBoundingSet'), only('AmbientCapabilities')];
  const own = user === 'root' ? '' : `--inh-caps=${ambient} --ambient-caps=${ambient}`;
  const as = `setpriv --no-new-privs --bounding-set=${bounds} --reuid ${user} --regid ${user} --init-groups ${own}`;
  const directory = `/run/${all('RuntimeDirectory')}`;
  const log = `/run/${name}.log`;
  const run = async (script: string): Promise<void> => void (await world.run(script));
  return {
    start: () =>
      run(`mkdir -p ${directory}; chown ${user}: ${directory}
${all('ExecStartPre')}
setsid ${as} ${all('ExecStart')} </dev/null >>${log} 2>&1 &
echo $! >/run/${name}.main
${name === 'haproxy.service' ? `until bash -c 'exec 3<>/dev/tcp/127.0.0.1/${balancerHealthPort}' 2>/dev/null; do sleep 0.02; done` : ''}
${all('ExecStartPost')}`),
    stop: () =>
      run(`main=$(cat /run/${name}.main)
${all('ExecStop')}
kill "$main"; while [ -e "/proc/$main/exe" ]; do sleep 0.02; done
${all('ExecStopPost')}`),
    reload: () => run(`MAINPID=$(cat /run/${name}.main)\n${all('ExecReload')}`),
    kill: () => run(`kill -9 "-$(cat /run/${name}.main)"\n${all('ExecStopPost')}`),
    log: () => world.run(`cat ${log}`),
  };
};
