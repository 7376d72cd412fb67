import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprintOf } from './support/footprint.js';
import { kubectl } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-dual
kubernetes: { version: 1.36.3, controlPlane: systemd }
network:
  pods: 10.218.0.0/16
  services: 10.219.0.0/16
  ipv6: { pods: fd00:10:218::/56, services: fd00:10:219::/112 }
  segments:
    office: { cidr: 172.27.40.0/24, gateway: 172.27.40.1, ipv6: { cidr: fd00:172:27:40::/64, gateway: fd00:172:27:40::1 } }
    rack: { cidr: 172.27.41.0/24, gateway: 172.27.41.1, ipv6: { cidr: fd00:172:27:41::/64, gateway: fd00:172:27:41::1 } }
hosts:
  controller-00: { address: 172.27.40.10, ipv6: fd00:172:27:40::10, roles: [control-plane, worker] }
  worker-00: { address: 172.27.41.20, ipv6: fd00:172:27:41::20, roles: [worker] }
  edge:
    roles: [router]
    address: 172.27.40.1
    addresses: { office: 172.27.40.1, rack: 172.27.41.1 }
    ipv6: { office: fd00:172:27:40::1, rack: fd00:172:27:41::1 }
`;

/** What is left of the inventory where nothing of it is of IPv6. */
const ipv4Alone = inventory
  .replace(/^ {2}ipv6: .*\n/m, '')
  .replace(/^ {4}ipv6: .*\n/m, '')
  .replaceAll(/, ipv6: (\{[^}]*\}|[0-9a-f:]+)/g, '');

describe.runIf(whole)('a cluster of both families', () => {
  let project: Project;
  let before: readonly string[];
  const hosts = ['controller-00', 'worker-00', 'edge'];
  const footprints = () => Promise.all(hosts.map((host) => footprintOf(project, host)));
  const routesOf = (host: string) => project.on(host, 'ip -6 route show proto static | cut -d " " -f 1-3 | sort');

  beforeAll(async () => {
    project = await makeProject('e2e-dual', inventory);
    await project.kbs('lab up');
    before = await footprints();
  });
  afterAll(() => project?.remove());

  test('is made by one apply, proven by real packets, and needs no change', async () => {
    await project.kbs('apply --yes');
    const { stdout } = await project.kbs('verify -v');
    expect(stdout).toMatch(/ by IPv6, source address preserved/);
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test('has pod CIDRs and a cluster DNS of both', async () => {
    expect(
      await kubectl(
        project,
        'get nodes -o jsonpath=\'{range .items[*]}{.metadata.name} {.spec.podCIDRs}{"\\n"}{end}\'',
      ),
    ).toBe(
      [
        'controller-00 ["10.218.10.0/24","fd00:10:218:a::/64"]',
        'worker-00 ["10.218.84.0/24","fd00:10:218:54::/64"]',
      ].join('\n'),
    );
    expect(await kubectl(project, "-n kube-system get service kube-dns -o jsonpath='{.spec.clusterIPs}'")).toBe(
      '["10.219.0.10","fd00:10:219::a"]',
    );
  });

  test('has its routes of IPv6 again after a reboot of a node and of the router', async () => {
    const there = await Promise.all(hosts.map(routesOf));
    expect(there[1]).toBe('fd00:10:218::/58 via fd00:172:27:41::1');
    await project.kbs('lab reboot worker-00 edge');
    await expect.poll(() => Promise.all(hosts.map(routesOf)), { timeout: 60_000, interval: 1000 }).toEqual(there);
    await project.kbs('verify');
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test('keeps both: a plan with IPv4 alone is refused before anything is changed', async () => {
    await project.write('alone.yaml', ipv4Alone);
    const { stderr } = await project.kbs('apply --yes -i alone.yaml', { exit: 4 });
    expect(stderr).toContain(
      'pod-cidr: worker-00 has fd00:10:218:54::/64 in the cluster, and the inventory has IPv4 alone',
    );
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test('leaves nothing behind', async () => {
    await project.kbs('reset --yes');
    expect(await footprints()).toEqual(before);
  });
});
