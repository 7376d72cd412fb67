import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { type LabStatus, labFreeze, labKill, labStart, labThaw } from '../../src/lab/index.js';
import { leftOf } from '../support/lab-traces.js';
import { lacks } from '../support/needs.js';
import { footprintOf } from './support/footprint.js';
import { readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { whole } from './support/whole.js';

const example = readFileSync(new URL('../../inventories/guests.yaml', import.meta.url), 'utf8').replace(
  'cluster: guests',
  'cluster: e2e-guests',
);

/** `npm run test:guests`: both guests and all that takes minutes. Otherwise one guest, and what no container can show. */
const inventory = whole ? example : example.replace(/^ {2}worker-12:.*\n/m, '');
const guests = whole ? ['worker-13', 'worker-12'] : ['worker-13'];

describe.skipIf(lacks('root', 'qemu-system-x86', 'qemu-utils', 'e2fsprogs', 'debootstrap'))('virtual machines', () => {
  let project: Project;
  /** By guest: before it joined. */
  const bare = new Map<string, string>();

  const changes = async () => linesOf(await project.json<Plan>('plan'));
  const status = async () => {
    const found = (await project.json<readonly LabStatus[]>('lab status')).find(({ lab }) => lab.name === project.name);
    if (found === undefined) throw new Error('the lab does not stand');
    return found;
  };

  beforeAll(async () => {
    project = await makeProject('e2e-guests', inventory);
    await project.kbs('lab up');
    if (whole) for (const guest of guests) bare.set(guest, await traces(project, guest));
  });
  afterAll(() => project?.remove());

  test('have kernels, control groups and modules of their own', async () => {
    for (const guest of guests) {
      const answer = await project.on(
        guest,
        'stat -fc %T /sys/fs/cgroup; systemd-detect-virt; systemctl is-system-running',
      );
      expect(answer).toBe('cgroup2fs\nqemu\nrunning');
      await project.on(guest, 'modprobe -n -a overlay br_netfilter nf_conntrack ip_vs ip_vs_rr sch_netem');
    }
    const { hosts } = await status();
    expect(hosts.map(({ name, platform, image }) => `${name} ${platform} ${image}`)).toEqual([
      'controller-00 container undefined',
      ...guests.map((name) => `${name} vm debian-${name.slice(-2)}`),
    ]);
  });

  test('are fit for a cluster, as preflight finds them', async () => {
    await project.kbs('preflight');
  });

  // An emulated machine takes minutes for what a real one does in seconds.
  test.runIf(whole)('become workers, and a second plan finds nothing to change', async () => {
    await project.kbs('apply --yes --timeout 15m');
    expect(await readyNodes(project)).toEqual(guests.toSorted());
    expect(await changes()).toEqual([]);
    await project.kbs('verify');
  });

  describe.runIf(whole)('as a whole', () => {
    test('are as the inventory says after a reboot, though the system writes /etc/hosts anew as cloud-init does', async () => {
      const boot = () => project.on('worker-13', 'cat /proc/sys/kernel/random/boot_id');
      const before = await boot();
      // Modules that something else has loaded meanwhile.
      await project.on('worker-13', 'modprobe -a ip_vs ip_vs_rr nf_log_syslog');
      expect(await changes()).toEqual([]);
      await project.on('worker-13', "echo '192.0.2.1 by-hand' >> /etc/hosts; systemctl -q enable manage-etc-hosts");
      await project.kbs('lab reboot worker-13');
      expect(await boot()).not.toBe(before);
      expect(await project.on('worker-13', 'cat /etc/hosts')).not.toContain('by-hand');
      expect(await changes()).toEqual([]);
      await project.on('worker-13', 'systemctl -q disable manage-etc-hosts');
    });

    test('keep their routes when NetworkManager starts again, and when it brings a connection up', async () => {
      const routes = () => project.on('worker-12', 'ip -4 route');
      const before = await routes();
      await project.on('worker-12', 'systemctl restart NetworkManager; nmcli --wait 60 connection up eth0');
      await expect.poll(routes, { timeout: 30_000 }).toBe(before);
      expect(await changes()).toEqual([]);
    });

    // The default, nftables, is what was verified above.
    test.each(['ipvs', 'iptables'])('serve Services with kube-proxy in mode %s', async (mode) => {
      await project.write('kbs.yaml', inventory.replace(/(version: .*\n)/, `$1  proxy: ${mode}\n`));
      await project.kbs('apply --yes --timeout 15m');
      // A unit that systemd has started is not one that serves yet: emulated, it takes kube-proxy many seconds.
      for (const guest of guests)
        expect(await project.on(guest, `curl -sS ${patient} http://127.0.0.1:10249/proxyMode`)).toBe(mode);
      await project.kbs('verify');
    });

    test('delay their segment, over a reboot too, where this kernel cannot', async () => {
      await project.kbs('lab delay rack 50');
      expect(await roundTrip(project, 'worker-13', '192.168.87.12')).toBeGreaterThanOrEqual(100);
      expect(await roundTrip(project, 'controller-00', '192.168.87.13')).toBeGreaterThanOrEqual(100);
      await project.kbs('lab reboot worker-12 --power-cut');
      expect(await roundTrip(project, 'worker-13', '192.168.87.12')).toBeGreaterThanOrEqual(100);
      expect((await status()).delays).toEqual([{ segment: 'rack', ms: 50 }]);
      await project.kbs('lab delay rack 0');
      expect(await roundTrip(project, 'worker-13', '192.168.87.12')).toBeLessThan(100);
      expect((await status()).delays).toEqual([]);
    });

    test('hang, lose their power, are cut off, and return', async () => {
      const host = 'e2e-guests/worker-12';
      const state = async () => (await status()).hosts.find(({ name }) => name === 'worker-12')?.state;
      const heard = () => project.on('worker-13', 'ping -qc 1 -W 5 192.168.87.12 >/dev/null && echo yes || echo no');
      await labFreeze(host);
      expect([await state(), await heard()]).toEqual(['paused', 'no']);
      await labThaw(host);
      expect([await state(), await heard()]).toEqual(['running', 'yes']);
      await project.kbs('lab partition worker-12 worker-13');
      expect(await heard()).toBe('no');
      await project.kbs('lab heal');
      expect(await heard()).toBe('yes');
      await labKill(host);
      expect([await state(), await heard()]).toEqual(['off', 'no']);
      await labStart(host);
      expect([await state(), await heard()]).toEqual(['running', 'yes']);
    });

    test('are left as they were found', async () => {
      await project.kbs(`remove ${guests.join(' ')} --yes --timeout 15m`);
      for (const guest of guests) expect(await traces(project, guest)).toBe(bare.get(guest));
    });
  });

  test('leave nothing on this machine', async () => {
    await project.kbs('lab down');
    expect(await leftOf(project.name)).toEqual([]);
  });
});

const patient = '--retry 90 --retry-delay 1 --retry-connrefused';

/** With what systemd holds: the systemd driver makes slices. */
const traces = async (project: Project, guest: string): Promise<string> => {
  const slices =
    "systemctl list-units --all --plain --no-legend --type=slice,scope | awk '{ print $1 }' | grep -v session";
  return `${await footprintOf(project, guest)}\n${await project.on(guest, slices)}`;
};

/** The shortest of five round trips, in milliseconds. */
const roundTrip = async (project: Project, host: string, address: string): Promise<number> =>
  Number(/= ([\d.]+)\//.exec(await project.on(host, `ping -qc 5 ${address}`))?.[1]);
