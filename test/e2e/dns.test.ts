import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { type Bundle, defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { answersFor } from '../../src/phases/lan-dns/dns-query.js';
import { lanDns, lanZones } from '../../src/phases/lan-dns/lan-dns.js';
import type { Resource } from '../../src/resources/resource.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { apply } from '../resources/reconcile.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';

/**
 * The real CoreDNS of the bundle with the files that kbs renders, each server on a host of its own: its addresses, its
 * port 53, and a resolver outside that answers for the rest of the world.
 */
const zone = 'production.internal';
const outside = '192.0.2.53';

const base = clusterOf();
const servers = ['dns-00', 'dns-01'].map((name, index) =>
  hostOf({ name, address: `192.168.10.${3 + index}`, segment: 'office', roles: ['dns'] }),
);

const clusterWith = (hosts: readonly ClusterHost[], rest: Partial<Cluster> = {}): Cluster =>
  clusterOf({
    zone,
    upstreams: [outside],
    endpoint: { host: `api.${zone}`, name: `api.${zone}`, port: 6443, address: '192.168.10.5', vip: '192.168.10.5' },
    hosts: [...servers, ...base.hosts, ...hosts],
    records: [
      { name: 'grafana', value: 'VIP' },
      { name: '*.apps', value: 'worker-rack-00' },
      { name: 'own.apps', value: '192.168.10.60' },
    ],
    network: {
      ...base.network,
      segments: base.network.segments.map((segment) =>
        segment.name === 'rack' ? { ...segment, cidr: '192.168.20.0/26' } : segment,
      ),
    },
    ...rest,
  });

const cluster = clusterWith([]);

const upstream = `. {
  bind ${outside}
  template IN A . {
    answer "{{ .Name }} 5 IN A 198.51.100.7"
  }
  template IN PTR . {
    answer "{{ .Name }} 5 IN PTR outside.example."
  }
}
`;

/** As the unit runs it: an unprivileged user with one capability, to listen on port 53. */
const only = '-all,+net_bind_service';
const unprivileged = `setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=${only} --ambient-caps=${only} --bounding-set=${only}`;

let bundle: Bundle;
const worlds: World[] = [];
beforeAll(async () => {
  bundle = await openBundle(defaultBundle('1.36.3'));
  for (const server of servers) {
    const world = await createWorld();
    worlds.push(world);
    await world.run(`ip link set lo up
for address in ${server.address} ${outside}; do ip address add $address/32 dev lo; done`);
    await apply(world, [unzstd(), ...resourcesOf(server, cluster, 1000)]);
    await world.run(`printf '%s' '${upstream}' > /run/upstream
for conf in /run/upstream /etc/coredns/Corefile; do
  ${unprivileged} setsid coredns -conf $conf > /run/log-\${conf##*/} 2>&1 </dev/null &
done
until ${answersFor(server.address, zone)}; do sleep 0.1; done >/dev/null`);
  }
});
afterAll(() => Promise.all(worlds.map((world) => world.end())));

const unzstd = (): Resource => ({
  kind: 'binary',
  path: '/usr/local/lib/kbs/unzstd',
  content: bundle.of(archOfThisMachine()).binary('unzstd'),
});

/** All but the unit: no systemd runs there. */
const resourcesOf = (host: ClusterHost, of: Cluster, startedAt: number): readonly Resource[] => {
  const context = { ...contextOf(of), artifacts: bundle, startedAt };
  return [lanZones, lanDns].flatMap((phase) => phase.resources(host, context)).filter(({ kind }) => kind !== 'unit');
};

/** Asks from inside a world, by Node's own resolver. Gives one line for each question. */
const ask = (world: World, server: ClusterHost, questions: readonly (readonly [string, string])[]): Promise<string> =>
  world.run(`node -e '
const { Resolver } = require("node:dns").promises;
const resolver = new Resolver({ timeout: 5000, tries: 1 });
resolver.setServers(["${server.address}"]);
(async () => {
  for (const [name, type] of ${JSON.stringify(questions)}) {
    const said = await resolver.resolve(name, type).catch(({ code }) => code);
    console.log(name, type, JSON.stringify(said));
  }
})();'`);

const worldAt = (index: number): World => {
  const world = worlds[index];
  if (!world) throw new Error(`server ${index} was not started`);
  return world;
};

const first = (): readonly [World, ClusterHost] => {
  const [server] = servers;
  if (!server) throw new Error('there is no server');
  return [worldAt(0), server];
};

describe('the DNS server of the LAN', () => {
  const questions = [
    [`api.${zone}`, 'A'],
    [`worker-rack-00.${zone}`, 'A'],
    [`edge.${zone}`, 'A'],
    [`edge-rack.${zone}`, 'A'],
    [`missing.${zone}`, 'A'],
    [`grafana.${zone}`, 'A'],
    [`any.apps.${zone}`, 'A'],
    [`own.apps.${zone}`, 'A'],
    [`apps.${zone}`, 'A'],
    [zone, 'NS'],
    ['5.10.168.192.in-addr.arpa', 'PTR'],
    ['20.10.168.192.in-addr.arpa', 'PTR'],
    ['99.10.168.192.in-addr.arpa', 'PTR'],
    ['20.20.168.192.in-addr.arpa', 'PTR'],
    ['99.20.168.192.in-addr.arpa', 'PTR'],
    ['www.example.com', 'A'],
  ] as const;

  it('answers for hosts, the API, records and addresses, and passes on the rest; two servers alike', async () => {
    const [one, two] = await Promise.all(servers.map((server, index) => ask(worldAt(index), server, questions)));
    expect(one).toBe(two);
    expect(one?.trim().split('\n')).toEqual([
      `api.${zone} A ["192.168.10.5"]`,
      `worker-rack-00.${zone} A ["192.168.20.20"]`,
      `edge.${zone} A ["192.168.10.1"]`,
      `edge-rack.${zone} A ["192.168.20.1"]`,
      `missing.${zone} A "ENOTFOUND"`,
      `grafana.${zone} A ["192.168.10.5"]`,
      `any.apps.${zone} A ["192.168.20.20"]`,
      `own.apps.${zone} A ["192.168.10.60"]`,
      `apps.${zone} A "ENODATA"`,
      expect.stringMatching(/NS \["dns-0[01].*","dns-0[01].*"\]/),
      `5.10.168.192.in-addr.arpa PTR ["api.${zone}"]`,
      `20.10.168.192.in-addr.arpa PTR ["worker-office-00.${zone}"]`,
      '99.10.168.192.in-addr.arpa PTR "ENOTFOUND"',
      `20.20.168.192.in-addr.arpa PTR ["worker-rack-00.${zone}"]`,
      '99.20.168.192.in-addr.arpa PTR ["outside.example"]',
      'www.example.com A ["198.51.100.7"]',
    ]);
  });

  it('learns of a new host without failing to answer once, and its serial grows', async () => {
    const [world, server] = first();
    const serial = async () => Number(/serial":(\d+)/.exec(await ask(world, server, [[zone, 'SOA']]))?.[1]);
    const before = await serial();
    const asking = world.run(`node -e '
const { Resolver } = require("node:dns").promises;
const { existsSync } = require("node:fs");
const resolver = new Resolver({ timeout: 5000, tries: 1 });
resolver.setServers(["${server.address}"]);
(async () => {
  let asked = 0;
  const failures = [];
  while (!existsSync("/run/enough")) {
    await resolver.resolve4("api.${zone}").then(
      ([address]) => address === "192.168.10.5" || failures.push(address), ({ code }) => failures.push(code));
    asked += 1;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  console.log(JSON.stringify({ asked, failures }));
})();'`);
    const joined = clusterWith([hostOf({ name: 'worker-01', address: '192.168.10.21', segment: 'office' })]);
    // The clock of this run stands where it stood: it is the zone's own serial that counts.
    expect(await apply(world, resourcesOf(server, joined, 1000))).toBe(2);
    while (!(await ask(world, server, [[`worker-01.${zone}`, 'A']])).includes('192.168.10.21'));
    await world.run('touch /run/enough');
    const { asked, failures } = JSON.parse(await asking) as { asked: number; failures: readonly string[] };
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(50);
    expect(await serial()).toBe(before + 1);
    expect(await ask(world, server, [['21.10.168.192.in-addr.arpa', 'PTR']])).toContain(`worker-01.${zone}`);
  });

  it('goes on where its next Corefile is no good, which says why', async () => {
    const [world, server] = first();
    const broken = resourcesOf(server, cluster, 1000).map((resource) =>
      resource.kind === 'file'
        ? { ...resource, content: `${String(resource.content)}\nnonsense {\n  nosuch\n}\n` }
        : resource,
    );
    const corefile = await world.run('cat /etc/coredns/Corefile');
    await expect(apply(world, broken)).rejects.toThrow("Unknown directive 'nosuch'");
    expect(await world.run('cat /etc/coredns/Corefile; ls /etc/coredns')).toBe(`${corefile}Corefile\nzones\n`);
    expect(await ask(world, server, [[`api.${zone}`, 'A']])).toContain('192.168.10.5');
  });

  it('is known to answer, or not, by one question of bash', async () => {
    const [world, server] = first();
    const says = (address: string, name: string) =>
      world.run(`if ( ${answersFor(address, name)} ); then echo yes; fi`).then((text) => text.trim());
    expect(await says(server.address, zone)).toBe('yes');
    expect(await says(server.address, 'example.com')).toBe(`no answer from ${server.address} for example.com`);
    expect(await says('127.0.0.1', zone)).toBe(`no answer from 127.0.0.1 for ${zone}`);
    expect(await says(outside, zone)).toBe(`no answer from ${outside} for ${zone}`);
  });

  it('has a unit that systemd takes', async () => {
    const [world, server] = first();
    const context = { ...contextOf(cluster), artifacts: bundle };
    const unit = lanDns.resources(server, context).find(({ kind }) => kind === 'unit');
    if (unit?.kind !== 'unit') throw new Error('there is no unit');
    const said = await world.run(`cat > /etc/systemd/system/coredns.service <<'END'
${unit.text}
END
systemd-analyze verify /etc/systemd/system/coredns.service 2>&1`);
    expect(said).toBe('');
  });
});
