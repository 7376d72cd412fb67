import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { parseVipProbe, vipProbeScript } from '../../src/preflight/vip-probe.js';
import { authority, balancer, type Lan, lanOf, type Service } from '../phases/load-balancer/balancers.js';
import { worldsAreHere } from '../resources/overlay-host.js';
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

  const run = (name: string, script: string): Promise<string> => lan.world(name).run(script);
  const start = async (name: string): Promise<void> => {
    for (const service of ['haproxy', 'keepalived']) await services[name]?.[service]?.start();
  };
  const holders = async (): Promise<readonly string[]> => {
    const found = await Promise.all(balancers.map(({ name }) => run(name, `ip -o address show to ${vip}`)));
    return balancers.filter((_, n) => found[n] !== '').map(({ name }) => name);
  };
  /** Which API server answers the client, through the address; asked until one does. */
  const answered = (): Promise<string> =>
    run(client.name, `until curl --silent --insecure --fail --max-time 1 https://${vip}:6443/; do sleep 0.1; done`);
  const held = (...names: readonly string[]) => expect.poll(holders, { timeout: 20_000 }).toEqual(names);
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
    await run('lb-01', 'while /usr/local/lib/kbs/haproxy-health; do sleep 0.1; done');
    await run('controller-00', 'echo 200 >/run/readyz');
    expect(await answered()).toBe('controller-00');
  }, 60_000);
});
