import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.js';
import {
  type Lab,
  type LabStatus,
  labCut,
  labDelay,
  labDown,
  labFreeze,
  labHeal,
  labKill,
  labPartition,
  labReboot,
  labReconnect,
  labRouterRoutes,
  labSsh,
  labStart,
  labState,
  labStatus,
  labThaw,
  labUp,
  readLabOverlay,
} from '../../src/lab/index.js';
import { labFolder, labPrefix, placesOf, recordFile } from '../../src/lab/paths.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { leftOf, machineState } from '../support/lab-traces.js';
import { whole } from './support/whole.js';

const able = process.getuid?.() === 0 && existsSync('/usr/bin/systemd-nspawn') && existsSync('/usr/sbin/debootstrap');

/** Whether this kernel has tc-netem(8); modules that it could load are loaded by asking. */
const emulated =
  able && spawnSync('unshare', ['--net', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem']).status === 0;

describe.skipIf(!able)('a lab', () => {
  let project: string;
  const labs = ['e2e-lab-one', 'e2e-lab-two', 'e2e-lab-three'];

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'kbs-lab-'));
    for (const name of labs) await labDown(name);
  });

  afterAll(async () => {
    for (const name of labs) await labDown(name);
    await rm(project, { recursive: true, force: true });
  });

  const up = (cluster: Cluster): Promise<Lab> =>
    labUp(cluster, { state: labState(project, cluster.name), install: false, onProgress: () => undefined });

  describe('of two segments with a listed router', () => {
    const cluster = twoSegments('e2e-lab-one', 101);
    let before: readonly string[];
    let lab: Lab;

    beforeAll(async () => {
      before = await machineState(cluster.name);
      lab = await up(cluster);
    });

    test('has a whole system on every host, for root and for a user with sudo', async () => {
      for (const { name } of lab.hosts) {
        expect(await on(`${cluster.name}/${name}`, 'hostname; systemctl is-system-running --wait')).toBe(
          `${name}\nrunning`,
        );
        expect(await on(`${cluster.name}/${name}`, 'id -un; sudo id -un', 'ops')).toBe('ops\nroot');
      }
      await expect(on('e2e-lab-one/controller-00', 'sudo -n id', 'nosudo')).rejects.toThrow('password is required');
    });

    test('tells a run of kbs which keys open its hosts', async () => {
      const overlay = readLabOverlay(project, cluster.name);
      expect(overlay).toMatchObject({ keys: [lab.key], knownHosts: lab.knownHosts });
      expect(overlay?.addresses).toMatchObject({ edge: '10.101.10.1', 'worker-rack-00': '10.101.20.20' });
      expect(readLabOverlay(join(project, 'elsewhere'), cluster.name)).toBeUndefined();
    });

    test('joins the hosts of a segment, and leaves it to its router to join segments', async () => {
      expect(await pings('e2e-lab-one/controller-00', '10.101.10.20')).toBe(true);
      expect(await pings('e2e-lab-one/controller-00', '10.101.20.20')).toBe(false);
      await on('e2e-lab-one/edge', 'sysctl -qw net.ipv4.ip_forward=1');
      expect(await pings('e2e-lab-one/controller-00', '10.101.20.20')).toBe(true);
    });

    test('is left as it is by a second up', async () => {
      const boot = await bootOf('e2e-lab-one/controller-00');
      expect(await up(cluster)).toEqual(lab);
      expect(await bootOf('e2e-lab-one/controller-00')).toBe(boot);
    });

    test('refuses an inventory with other hosts under its name, and keeps running', async () => {
      await expect(up({ ...cluster, hosts: cluster.hosts.slice(1) })).rejects.toThrow('stands already');
      expect(await on('e2e-lab-one/edge', 'hostname')).toBe('edge');
    });

    test.each(['orderly', 'power-cut'] as const)(
      'loses the kernel state and keeps the disk over a reboot: %s',
      async (how) => {
        const host = 'e2e-lab-one/worker-rack-00';
        const boot = await bootOf(host);
        await on(host, `${changeKernel}; touch /root/stays /var/lib/stays; sync`);
        expect(await on(host, kernelChanges)).toBe('3');
        await labReboot(host, how);
        expect(await bootOf(host)).not.toBe(boot);
        expect(await on(host, kernelChanges)).toBe('0');
        expect(
          await on(host, 'ls /root/stays /var/lib/stays; ip -br address show eth0 | grep -c 10.101.20.20/24'),
        ).toContain('1');
      },
    );

    test('comes back after `reboot` inside, with nothing of the kernel state', async () => {
      const host = 'e2e-lab-one/worker-rack-00';
      const boot = await bootOf(host);
      await on(host, `${changeKernel}; systemctl --no-block reboot`);
      await until(async () => (await bootOf(host).catch(() => boot)) !== boot);
      expect(await on(host, kernelChanges)).toBe('0');
    });

    test('reboots as a whole', async () => {
      const boots = await Promise.all(lab.hosts.map(({ name }) => bootOf(`${cluster.name}/${name}`)));
      await labReboot(`${cluster.name}/all`);
      for (const { name } of lab.hosts) expect(boots).not.toContain(await bootOf(`${cluster.name}/${name}`));
    });

    test('has hosts that hang, lose their cables and their power, and return', async () => {
      const host = 'e2e-lab-one/worker-office-00';
      const heard = () => pings('e2e-lab-one/controller-00', '10.101.10.20');
      const state = async () => (await statusOf(cluster.name)).hosts.find(({ name }) => host.endsWith(name))?.state;
      await labFreeze(host);
      expect([await state(), await heard()]).toEqual(['paused', false]);
      await expect(labStart(host)).rejects.toThrow('the host is paused');
      await expect(labReboot(host)).rejects.toThrow('the host is paused');
      await labThaw(host);
      await until(heard);
      await labCut(host);
      expect([await state(), await heard()]).toEqual(['running', false]);
      await labReconnect(host);
      await until(heard);
      await labKill(host);
      expect([await state(), await heard()]).toEqual(['off', false]);
      await expect(labFreeze(host)).rejects.toThrow('the host is off');
      await labStart(host);
      expect([await state(), await heard()]).toEqual(['running', true]);
      await on(host, 'systemctl --no-block poweroff');
      await until(async () => (await state()) === 'off');
      expect(await heard()).toBe(false);
      await labStart(host);
      expect(await heard()).toBe(true);
    });

    describe('that is partitioned', () => {
      const [controller, office, rack] = ['10.101.10.10', '10.101.10.20', '10.101.20.20'];
      const reach = (host: string, ...addresses: readonly string[]) =>
        Promise.all(addresses.map((address) => pings(`${cluster.name}/${host}`, address)));

      beforeAll(async () => {
        await on('e2e-lab-one/edge', 'sysctl -qw net.ipv4.ip_forward=1');
      });

      test('separates two hosts of a segment from each other and from no other host', async () => {
        await labPartition(cluster.name, ['controller-00'], ['worker-office-00']);
        expect(await reach('controller-00', office, rack)).toEqual([false, true]);
        expect(await reach('worker-office-00', controller, rack)).toEqual([false, true]);
        expect(await reach('worker-rack-00', controller, office)).toEqual([true, true]);
      });

      test('keeps a host from a host behind a router too, and what was cut stays so', async () => {
        await labPartition(cluster.name, ['worker-rack-00'], ['controller-00']);
        expect(await reach('controller-00', office, rack, '10.101.20.1')).toEqual([false, false, true]);
        expect(await reach('worker-rack-00', controller, office, '10.101.10.1')).toEqual([false, true, true]);
        expect((await statusOf(cluster.name)).partitions).toEqual([
          ['controller-00', 'worker-office-00'],
          ['controller-00', 'worker-rack-00'],
        ]);
      });

      test('stays so whatever its hosts do to their own rules, and over their reboots', async () => {
        await on('e2e-lab-one/controller-00', 'nft flush ruleset');
        await labReboot('e2e-lab-one/worker-office-00', 'power-cut');
        expect(await reach('controller-00', office, rack)).toEqual([false, false]);
      });

      test('is healed pair by pair, and as a whole', async () => {
        await labHeal(cluster.name, ['worker-office-00'], ['controller-00']);
        expect(await reach('controller-00', office, rack)).toEqual([true, false]);
        await labPartition(cluster.name, ['segment=office'], ['segment=rack']);
        expect(await reach('worker-rack-00', controller, office)).toEqual([false, false]);
        await labHeal(cluster.name, ['worker-rack-00']);
        expect(await reach('worker-rack-00', controller, office)).toEqual([true, true]);
        await labPartition(cluster.name, ['edge'], ['controller-00']);
        expect(await reach('controller-00', office, rack, '10.101.10.1')).toEqual([true, false, false]);
        expect(await labHeal(cluster.name)).toEqual([]);
        expect(await reach('controller-00', office, rack, '10.101.10.1')).toEqual([true, true, true]);
      });

      test("keeps pods from the other side's pods", async () => {
        const pods = { 'controller-00': ['10.244.1.0/24'], 'worker-rack-00': ['10.244.64.0/24'] };
        await on('e2e-lab-one/controller-00', 'ip address add 10.244.1.1/32 dev lo');
        await on('e2e-lab-one/worker-rack-00', 'ip address add 10.244.64.1/32 dev lo');
        await on(
          'e2e-lab-one/edge',
          `ip route add 10.244.1.0/24 via ${controller}; ip route add 10.244.64.0/24 via ${rack}`,
        );
        const asked = () => pings('e2e-lab-one/controller-00', '10.244.64.1', '10.244.1.1');
        expect(await asked()).toBe(true);
        await labPartition(cluster.name, ['controller-00'], ['worker-rack-00'], { pods });
        expect(await asked()).toBe(false);
        await labHeal(cluster.name);
        expect(await asked()).toBe(true);
      });
    });

    test.skipIf(emulated)('is refused a delay where the kernel has no network emulator', async () => {
      await expect(labDelay(cluster.name, 'rack', 20)).rejects.toMatchObject({
        code: 'preflight',
        message: expect.stringContaining('this kernel has no network emulator (sch_netem)'),
      });
      expect((await statusOf(cluster.name)).delays).toEqual([]);
      await labDelay(cluster.name, 'rack', 0);
    });

    test.skipIf(!emulated)('has a slow segment, over reboots of its hosts', async () => {
      await on('e2e-lab-one/edge', 'sysctl -qw net.ipv4.ip_forward=1');
      await labDelay(cluster.name, 'rack', 20);
      await labReboot('e2e-lab-one/worker-rack-00', 'power-cut');
      expect((await statusOf(cluster.name)).delays).toEqual([{ segment: 'rack', ms: 20 }]);
      expect(await roundTrip('e2e-lab-one/controller-00', '10.101.20.20')).toBeGreaterThanOrEqual(40);
      await labDelay(cluster.name, 'rack', 0);
      expect(await roundTrip('e2e-lab-one/controller-00', '10.101.20.20')).toBeLessThan(40);
    });

    test('lets containers have file systems and control groups of their own', async () => {
      const answer = await on('e2e-lab-one/controller-00', containerChores);
      expect(answer).toBe('overlay\nshared\n');
    });

    test('refuses another lab on the same addresses, by name', async () => {
      await expect(up(twoSegments('e2e-lab-two', 101))).rejects.toMatchObject({
        message: expect.stringContaining(
          'segment office (10.101.10.0/24) overlaps 10.101.10.0/24, which is of the lab e2e-lab-one',
        ),
      });
      expect(await leftOf('e2e-lab-two')).toEqual([]);
    });

    test('stands beside another lab, whose router the inventory does not list', async () => {
      const other = twoSegments('e2e-lab-two', 102);
      const unlisted = await up({ ...other, hosts: other.hosts.filter(({ name }) => name !== 'edge') });
      expect(await pings('e2e-lab-two/controller-00', '10.102.20.20')).toBe(true);
      await on('e2e-lab-two/worker-rack-00', 'ip address add 10.244.64.1/24 dev lo');
      expect(await pings('e2e-lab-two/controller-00', '10.244.64.1')).toBe(false);
      await labRouterRoutes(unlisted, [{ to: '10.244.64.0/24', via: '10.102.20.20' }]);
      expect(await pings('e2e-lab-two/controller-00', '10.244.64.1')).toBe(true);
      expect(await on('e2e-lab-one/edge', 'hostname')).toBe('edge');
      await expect(labSsh('controller-00')).rejects.toThrow('is in the labs');
      await labDown('e2e-lab-two');
      expect(await leftOf('e2e-lab-two')).toEqual([]);
      expect(await on('e2e-lab-one/edge', 'hostname')).toBe('edge');
    });

    test('leaves nothing when it is taken down', async () => {
      await labFreeze('e2e-lab-one/edge');
      expect(await labDown(cluster.name)).toBe(true);
      expect(await leftOf(cluster.name)).toEqual([]);
      expect(await machineState(cluster.name)).toEqual(before);
      expect(existsSync(join(project, '.kbs'))).toBe(false);
      expect(readLabOverlay(project, cluster.name)).toBeUndefined();
      expect(await labDown(cluster.name)).toBe(false);
    });
  });

  describe('whose up was killed', () => {
    const cluster = twoSegments('e2e-lab-three', 103);

    test.each(whole ? [150, 500, 1200] : [500])('after %i ms is taken down without a trace', async (ms) => {
      const before = await machineState(cluster.name);
      await killedUp(project, cluster, ms);
      await labDown(cluster.name);
      await sleep(1000); // a straggler would show itself now
      expect(await leftOf(cluster.name)).toEqual([]);
      expect(await machineState(cluster.name)).toEqual(before);
    });

    test('is made whole by the next up', async () => {
      await killedUp(project, cluster, 700);
      await up(cluster);
      expect(await on('e2e-lab-three/edge', 'hostname')).toBe('edge');
    });

    test('starts what has stopped and rebuilds a network that is gone, on the same disks', async () => {
      await on('e2e-lab-three/edge', 'touch /root/stays; sync');
      for (const { name } of cluster.hosts) await labKill(`e2e-lab-three/${name}`);
      await run('ip', ['netns', 'delete', `${labPrefix(cluster.name)}-switch`]);
      await up(cluster);
      expect(await on('e2e-lab-three/edge', 'ls /root')).toBe('stays');
    });

    test('is taken down although its record is damaged', async () => {
      await writeFile(recordFile(placesOf(), cluster.name), '{"name": "e2e-');
      await labDown(cluster.name);
      expect(await leftOf(cluster.name)).toEqual([]);
      expect(existsSync(labFolder(placesOf(), cluster.name))).toBe(false);
    });
  });
});

/** A controller and a worker in the office, a worker in the rack, and a router between them that the inventory lists. */
function twoSegments(name: string, net: number): Cluster {
  const cluster = clusterOf();
  const moved = (address: string) => address.replace('192.168.', `10.${net}.`);
  const hosts = cluster.hosts.map((host) =>
    hostOf({
      ...host,
      address: moved(host.address),
      addresses: Object.fromEntries(
        Object.entries(host.addresses).map(([segment, address]) => [segment, moved(address)]),
      ),
      ssh: { ...host.ssh, address: moved(host.address) },
    }),
  );
  const segments = cluster.network.segments.map((segment) => ({
    ...segment,
    cidr: moved(segment.cidr),
    ...(segment.gateway === undefined ? {} : { gateway: moved(segment.gateway) }),
  }));
  return {
    ...cluster,
    name,
    hosts,
    network: { ...cluster.network, segments },
    endpoint: { host: `10.${net}.10.10`, port: 6443 },
  };
}

/** A process that runs `up` and dies without a word after so many milliseconds of it. */
async function killedUp(project: string, cluster: Cluster, ms: number): Promise<void> {
  const script = `
import { labState, labUp } from '${join(import.meta.dirname, '../../src/lab/index.js')}';
const cluster = ${JSON.stringify(cluster)};
console.log('begun');
await labUp(cluster, { state: labState('${project}', cluster.name), install: false, onProgress: () => undefined });`;
  await writeFile(join(project, 'up.mts'), script);
  const child = spawn(process.execPath, ['--import', 'tsx', join(project, 'up.mts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await sleep(ms);
  child.kill('SIGKILL');
  await ended;
}

const changeKernel = 'ip route add 10.9.9.0/24 dev lo; sysctl -qw net.ipv4.ip_forward=1; nft add table ip left-behind';
const kernelChanges =
  'echo $(( $(ip route show 10.9.9.0/24 | wc -l) + $(sysctl -n net.ipv4.ip_forward) + $(nft list tables | grep -c left-behind) ))';

const containerChores = `set -e
mkdir -p /var/lib/containerd/l /var/lib/containerd/u /var/lib/containerd/w /var/lib/containerd/m
mount -t overlay overlay -o lowerdir=/var/lib/containerd/l,upperdir=/var/lib/containerd/u,workdir=/var/lib/containerd/w /var/lib/containerd/m
findmnt -no FSTYPE /var/lib/containerd/m; umount /var/lib/containerd/m; rm -r /var/lib/containerd
for tree in /sys/fs/cgroup/*/ ; do if [ -e $tree/cgroup.procs ]; then mkdir $tree/kubepods; rmdir $tree/kubepods; fi; done
findmnt -no PROPAGATION /; [ -w /dev/kmsg ]; [ ! -s /etc/resolv.conf ]; echo`;

const bootOf = (host: string): Promise<string> => on(host, 'cat /proc/sys/kernel/random/boot_id');

/** Until one is answered: the first may be lost while a neighbour that was cut off is asked for anew. */
const pings = (host: string, address: string, from?: string): Promise<boolean> =>
  on(host, `ping -c 1 -i 0.3 -w 2 ${from === undefined ? '' : `-I ${from} `}${address} > /dev/null`).then(
    () => true,
    () => false,
  );

/** The shortest of three round trips, in milliseconds. */
const roundTrip = async (host: string, address: string): Promise<number> =>
  Number(/= ([\d.]+)\//.exec(await on(host, `ping -qc 3 ${address}`))?.[1]);

const statusOf = async (name: string): Promise<LabStatus> => {
  const status = (await labStatus()).find(({ lab }) => lab.name === name);
  if (status === undefined) throw new Error(`there is no lab ${name}`);
  return status;
};

/** What a command prints on a lab host, without the last newline; fails with what it says on stderr. */
async function on(host: string, command: string, user = 'root'): Promise<string> {
  const [program = '', ...args] = await labSsh(host, user);
  return (await run(program, [...args, command])).replace(/\n$/, '');
}

const run = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('it did not become true in time');
}
