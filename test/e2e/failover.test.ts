import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { lanDns, lanZones } from '../../src/phases/lan-dns/lan-dns.js';
import { loadBalancer } from '../../src/phases/load-balancer/load-balancer.js';
import { parseVipProbe, vipProbeScript } from '../../src/preflight/vip-probe.js';
import { verifyForwards } from '../../src/verify/forwards.js';
import { authority, balancer, type Lan, lanOf, type Service } from '../phases/load-balancer/balancers.js';
import { worldsAreHere } from '../resources/overlay-host.js';
import { apply } from '../resources/reconcile.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const vip = '192.168.10.5';
const host = (name: string, number: number, ...roles: ClusterHost['roles']): ClusterHost =>
  hostOf({ name, address: `192.168.10.${number}`, segment: 'office', roles });
const balancers = [host('lb-00', 3, 'load-balancer'), host('lb-01', 4, 'load-balancer')];
const servers = [host('controller-00', 10, 'control-plane'), host('controller-01', 11, 'control-plane')];
const client = host('client', 99, 'worker');
const cluster = clusterOf({ endpoint: { host: vip, vip, port: 6443 }, hosts: [...balancers, ...servers, client] });

const programsAreHere = worldsAreHere && existsSync('/usr/sbin/haproxy') && existsSync('/usr/sbin/keepalived');

/** Real haproxy and keepalived on two machines of one bridge, with the settings of the phase. */
describe.runIf(programsAreHere)('the virtual address', () => {
  const ca = authority(cluster);
  const services: Record<string, Record<string, Service>> = {};
  let lan: Lan;

  beforeAll(async () => {
    lan = await lanOf(cluster);
    await Promise.all(servers.map((server) => ca.serve(server, lan.world(server.name))));
    for (const each of balancers) services[each.name] = await balancer(each, ca.site, lan.world(each.name));
  }, 60_000);
  afterAll(async () => {
    await lan?.end();
    ca.end();
  });

  const { run, start, held } = controls(() => lan, services);
  /** Which API server answers the client, through the address; asked until one does. */
  const answered = (): Promise<string> =>
    run(client.name, `until curl --silent --insecure --fail --max-time 1 https://${vip}:6443/; do sleep 0.1; done`);
  const asked = async (name: string, routerId = 5) => {
    const { address = '' } = cluster.hosts.find((each) => each.name === name) ?? {};
    return parseVipProbe(await run(name, vipProbeScript({ address, vip, routerId, device: 'eth0' })));
  };

  it('is free on the wire as long as no host holds it', async () => {
    expect(await asked('lb-01')).toEqual({ adverts: [] });
  });

  it('goes to the first load balancer, and stays when a second one comes', async () => {
    await start('lb-00');
    await held('lb-00');
    await start('lb-01');
    expect(await answered()).toMatch(/^controller-0[01]$/);
    await held('lb-00');
  }, 60_000);

  it('is seen on the wire, with the hardware address of its holder', async () => {
    const mac = (await run('lb-00', 'cat /sys/class/net/eth0/address')).trim();
    expect(await asked('client')).toEqual({ owner: mac, adverts: [] });
    // The adverts go to the other load balancer alone.
    expect((await asked('lb-01'))?.adverts).toEqual([{ from: '192.168.10.3', routerId: 5, addresses: [vip] }]);
  }, 60_000);

  it('leaves a machine whose haproxy is killed, and does not come back with it', async () => {
    await services['lb-00']?.haproxy?.kill();
    await held('lb-01');
    expect(await answered()).toMatch(/^controller-0[01]$/);
    await services['lb-00']?.haproxy?.start();
    await held('lb-01');
  }, 60_000);

  it('leaves before haproxy stops', async () => {
    await services['lb-01']?.haproxy?.stop();
    await held('lb-00');
    await services['lb-01']?.haproxy?.start();
  }, 60_000);

  it('leaves a machine that is cut off from the API servers, for one that is not', async () => {
    await run('lb-00', servers.map(({ address }) => `ip route add blackhole ${address}`).join('\n'));
    await held('lb-01');
    expect(await answered()).toMatch(/^controller-0[01]$/);
  }, 60_000);

  it('leads to API servers that are ready, and to no other', async () => {
    await run('controller-00', 'echo 500 >/run/readyz');
    await expect.poll(answered, { timeout: 20_000 }).toBe('controller-01');
    await run('controller-01', 'echo 500 >/run/readyz');
    await run('lb-01', 'while /etc/kbs/haproxy-health; do sleep 0.1; done');
    await run('controller-00', 'echo 200 >/run/readyz');
    expect(await answered()).toBe('controller-00');
  }, 60_000);
});

/** Two workers with a server each behind a port of the load balancers; the client is in another segment, behind a router. */
describe.runIf(programsAreHere)('a forwarded port', () => {
  const workers = [host('worker-00', 20, 'worker'), host('worker-01', 21, 'worker')];
  const edge = hostOf({
    name: 'edge',
    address: '192.168.10.1',
    segment: 'office',
    roles: ['router'],
    addresses: { office: '192.168.10.1', rack: '192.168.20.1' },
  });
  const far = hostOf({ name: 'far', address: '192.168.20.99', segment: 'rack', roles: ['dns'] });
  const zone = 'lan.internal';
  const web = { port: 443, to: ['workers'], targetPort: 30443, proxyProtocol: true };
  const lanCluster = clusterOf({
    zone,
    endpoint: { host: vip, vip, address: vip, port: 6443 },
    records: [
      { name: 'grafana', value: 'VIP' },
      { name: '*.apps', value: 'VIP' },
    ],
    forwards: [web],
    hosts: [
      host('lb-00', 3, 'load-balancer', 'dns'),
      host('lb-01', 4, 'load-balancer'),
      ...servers.slice(0, 1),
      ...workers,
      edge,
      far,
    ],
  });
  const ca = authority(lanCluster);
  const services: Record<string, Record<string, Service>> = {};
  let lan: Lan;

  beforeAll(async () => {
    const bundle = await openBundle(defaultBundle('1.36.3'));
    lan = await lanOf(lanCluster);
    await run(
      'edge',
      `ip address add 192.168.20.1/24 dev eth0; echo 1 >/proc/sys/net/ipv4/ip_forward
for device in all eth0; do echo 0 >/proc/sys/net/ipv4/conf/$device/send_redirects; done`,
    );
    await run('far', 'ip route add default via 192.168.20.1');
    const office = lanCluster.hosts.filter(({ name, segment }) => segment === 'office' && name !== 'edge');
    await Promise.all(office.map(({ name }) => run(name, 'ip route add 192.168.20.0/24 via 192.168.10.1')));
    await Promise.all(servers.slice(0, 1).map((server) => ca.serve(server, lan.world(server.name))));
    await Promise.all(workers.map(({ name }) => serveTargets(name)));
    for (const each of balancers) services[each.name] = await balancer(each, ca.site, lan.world(each.name));
    await start('lb-00');
    const [dns] = lanCluster.hosts;
    if (!dns) throw new Error('there is no DNS server');
    const context = { ...ca.site, artifacts: bundle, startedAt: 1000 };
    const unzstd = bundle.of(archOfThisMachine()).binary('unzstd');
    await apply(lan.world('lb-00'), [
      { kind: 'binary', path: '/usr/local/lib/kbs/unzstd', content: unzstd },
      ...[lanZones, lanDns].flatMap((phase) => phase.resources(dns, context)).filter(({ kind }) => kind !== 'unit'),
    ]);
    await run('lb-00', 'setsid coredns -conf /etc/coredns/Corefile </dev/null >/run/coredns.log 2>&1 &');
  }, 60_000);
  afterAll(async () => {
    await lan?.end();
    ca.end();
  });

  const { run, start, held } = controls(() => lan, services);

  /** Answers with its name and with the client that the PROXY header names; says nothing to a health check. */
  const serveTargets = (name: string): Promise<string> =>
    run(
      name,
      `cat >/run/target.js <<'END'
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (head) => {
    if (head.subarray(0, 12).toString('latin1') !== '\\r\\n\\r\\n\\0\\r\\nQUIT\\n') return socket.end('no header');
    if (head[12] === 0x20) return socket.end();
    socket.write('${name} ' + [...head.subarray(16, 20)].join('.') + '\\n');
    socket.on('data', (more) => socket.end(more));
  });
}).listen(30443);
END
setsid '${process.execPath}' /run/target.js </dev/null >/dev/null 2>&1 &
echo $! >/run/target.pid`,
    );

  /** Asks again and again until the file /run/enough is there: by name, each time over a new connection. */
  const askMeanwhile = async (meanwhile: () => Promise<void>) => {
    await run('far', 'rm -f /run/enough');
    const asking = run(
      'far',
      `cat >/run/ask.js <<'END'
const { existsSync } = require('node:fs');
const { Resolver } = require('node:dns').promises;
const resolver = new Resolver({ timeout: 1000, tries: 3 });
resolver.setServers(['192.168.10.3']);
const once = (address) => new Promise((resolve) => {
  let text = '';
  const socket = require('node:net').connect({ host: address, port: 443, timeout: 1000 });
  socket.on('data', (chunk) => { text += chunk; if (text.endsWith('\\n')) { resolve(text.trim()); socket.destroy(); } });
  for (const event of ['error', 'timeout', 'close']) socket.on(event, () => { resolve('failed ' + event); socket.destroy(); });
});
(async () => {
  const [address] = await resolver.resolve4('grafana.${zone}');
  const said = [];
  while (!existsSync('/run/enough')) {
    said.push(once(address));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(JSON.stringify(await Promise.all(said)));
})();
END
'${process.execPath}' /run/ask.js`,
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await run('far', 'touch /run/enough');
    const said = JSON.parse(await asking) as readonly string[];
    return {
      asked: said.length,
      failed: said.filter((each) => each.startsWith('failed')).length,
      answers: [...new Set(said)].filter((each) => !each.startsWith('failed')).toSorted(),
    };
  };

  /** What `kbs verify` says of the forwards, seen from these hosts. */
  const proved = () =>
    verifyForwards(
      lanCluster,
      ({ name }) => ({
        name,
        query: async ({ script }) => ({ code: 0, stderr: '', stdout: await run(name, script) }),
        mutate: () => Promise.reject(new Error('a proof changes nothing')),
      }),
      { patience: 3000, limits: {} },
    ).then((results) => results.map(({ name, ok, detail }) => `${ok ? '✔' : '✘'} ${name}: ${detail}`));

  it('leads by name from another segment to every target, which is told the address of the client', async () => {
    await held('lb-00');
    await start('lb-01');
    const { failed, answers } = await askMeanwhile(async () => {});
    expect(answers).toEqual(['worker-00 192.168.20.99', 'worker-01 192.168.20.99']);
    expect(failed).toBe(0);
    expect(await proved()).toEqual([
      '✔ lb-00: 443 → workers:30443: 2 of 2 targets answer',
      '✔ lb-01: 443 → workers:30443: 2 of 2 targets answer',
      '✔ controller-00 (office) → 192.168.10.5:443: open',
      '✔ far (rack) → 192.168.10.5:443: open',
    ]);
  }, 60_000);

  it('goes on without a target whose program is killed, and without one whose machine is gone', async () => {
    const killed = await askMeanwhile(async () => void (await run('worker-00', 'kill -9 $(cat /run/target.pid)')));
    expect(killed.failed).toBeLessThanOrEqual(3);
    await expect.poll(proved).toContain('✔ lb-00: 443 → workers:30443: 1 of 2 targets answer; down: worker-00');
    await serveTargets('worker-00');
    await expect.poll(proved, { timeout: 20_000 }).toContain('✔ lb-00: 443 → workers:30443: 2 of 2 targets answer');
    const gone = await askMeanwhile(async () => void (await run('worker-01', 'ip link set eth0 down')));
    expect(gone.failed).toBeLessThanOrEqual(3);
    await run('worker-01', 'ip link set eth0 up; ip route replace 192.168.20.0/24 via 192.168.10.1');
    await expect.poll(proved, { timeout: 20_000 }).toContain('✔ lb-00: 443 → workers:30443: 2 of 2 targets answer');
  }, 60_000);

  it('takes other forwards without cutting a connection, and says which settings it has', async () => {
    const open = run(
      'far',
      `cat >/run/long.js <<'END'
const socket = require('node:net').connect(443, '${vip}');
let text = '';
socket.on('data', (chunk) => { text += chunk; });
socket.on('close', () => console.log(text));
socket.on('error', ({ code }) => console.log(code));
const waiting = setInterval(() => {
  if (!require('node:fs').existsSync('/run/enough')) return;
  clearInterval(waiting);
  socket.write('still here');
}, 50);
END
rm -f /run/enough; '${process.execPath}' /run/long.js`,
    );
    const more = { ...lanCluster, forwards: [web, { ...web, port: 8443 }] };
    const { failed } = await askMeanwhile(async () => {
      for (const each of balancers) {
        const resources = loadBalancer.resources(each, { ...ca.site, cluster: more });
        await apply(
          lan.world(each.name),
          resources.filter(({ kind }) => kind === 'file'),
        );
        await services[each.name]?.haproxy?.reload();
        const task = resources.find((resource) => resource.kind === 'task');
        if (task?.kind !== 'task') throw new Error('there is no task');
        await run(each.name, `until ( ${task.check} ); do sleep 0.1; done`);
      }
    });
    expect(failed).toBe(0);
    expect(await open).toMatch(/^worker-0[01] 192\.168\.20\.99\nstill here$/m);
    const other = await run('far', `bash -c 'exec 3<>/dev/tcp/${vip}/8443; head -n 1 <&3'`);
    expect(other).toMatch(/^worker-0[01] 192\.168\.20\.99$/m);
  }, 60_000);

  it('goes to the other load balancer when its holder is killed', async () => {
    const { failed } = await askMeanwhile(async () => {
      await services['lb-00']?.haproxy?.kill();
      await held('lb-01');
    });
    expect(failed).toBeLessThanOrEqual(10);
  }, 60_000);

  it('fails its proof where no target answers', async () => {
    for (const { name } of workers) await run(name, 'kill -9 $(cat /run/target.pid)');
    await expect
      .poll(proved, { timeout: 20_000 })
      .toEqual([
        expect.stringMatching(/^✘ lb-00: 443 → workers:30443: cannot tell/),
        '✘ lb-01: 443 → workers:30443: no target answers: worker-00, worker-01',
        '✔ controller-00 (office) → 192.168.10.5:443: open',
        '✔ far (rack) → 192.168.10.5:443: open',
      ]);
  }, 60_000);
});

/** What both suites do with the machines of their LAN, which is there once the suite has begun. */
const controls = (lan: () => Lan, services: Readonly<Record<string, Record<string, Service>>>) => {
  const run = (name: string, script: string): Promise<string> => lan().world(name).run(script);
  const start = async (name: string): Promise<void> => {
    for (const service of ['haproxy', 'keepalived']) await services[name]?.[service]?.start();
  };
  const holders = async (): Promise<readonly string[]> => {
    const found = await Promise.all(balancers.map(({ name }) => run(name, `ip -o address show to ${vip}`)));
    return balancers.filter((_, n) => found[n] !== '').map(({ name }) => name);
  };
  const held = (...names: readonly string[]) => expect.poll(holders, { timeout: 20_000 }).toEqual(names);
  return { run, start, held };
};
