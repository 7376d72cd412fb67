import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../../src/engine/event.js';
import type { Plan } from '../../src/engine/plan.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import { kubectl, readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { eventually, readyz } from './support/readyz.js';
import { killAt, phaseStarted } from './support/run-until.js';
import { whole } from './support/whole.js';

/** With a port of the workers' that needs no Service: their kubelets'. */
const forwarded = 'loadBalancer: { forward: [{ port: 8443, to: workers, targetPort: 10250 }] }';
const example = `${readFileSync(new URL('../../inventories/ha.yaml', import.meta.url), 'utf8')}${forwarded}\n`;
const version = 'version: 1.36.3';

const balancers = ['lb-00', 'lb-01'];
const controllers = ['controller-00', 'controller-01', 'controller-02'];
const workers = ['worker-office-00', 'worker-rack-00'];

/** `npm run test:ha`: both styles, and a change that rolls through them. Otherwise one, with the failures it survives. */
const styles = [
  { style: 'static-pods', nodes: [...controllers, ...workers], commands: ['init', 'join'] },
  { style: 'systemd', nodes: workers, commands: ['apply'] },
];

/** The example that survives the loss of any one machine. */
describe.each(styles.slice(0, whole ? 2 : 1))('three control planes as $style', ({ style, nodes, commands }) => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('ha', example.replace(version, `${version}, controlPlane: ${style}`));
    await project.kbs('lab up');
  });
  afterAll(() => project?.remove());

  test('come up from bare hosts', async () => {
    for (const command of commands) await project.kbs(`${command} --yes`);
    expect(await readyNodes(project)).toEqual(nodes);
  });

  test('are proven, through the virtual address too', async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
    expect(JSON.stringify(findings)).toContain('api.ha.internal:6443');
    expect(findings.filter(({ proof }) => proof === 'forwarded ports')).not.toEqual([]);
  });

  test('are left alone by a second apply', async () => {
    const { stdout } = await project.kbs('apply --yes');
    expect(stdout).toBe('nothing to change: 8 hosts are as the inventory says\n');
  });

  test('are three voters of one etcd, each an API server beside its own member', async () => {
    const list = await project.on('controller-02', `${etcdctl} member list`);
    const members = list.trim().split('\n');
    expect(members.map((line) => line.split(', ')[2]).toSorted()).toEqual(controllers);
    for (const line of members) expect(line).toMatch(/, started, .*, false$/);
    for (const host of controllers) {
      expect(await project.on(host, `kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz`)).toBe('ok');
    }
    const leaders = await kubectl(project, "-n kube-system get leases -o jsonpath='{.items[*].spec.holderIdentity}'");
    expect(leaders).toMatch(/controller-0\d_/);
  });

  test('are behind one virtual address, which exactly one load balancer holds', async () => {
    const holders = await Promise.all(
      balancers.map((host) => project.on(host, 'ip -o -4 addr show | grep -c 192.168.40.5/ || :')),
    );
    expect(holders.map((count) => count.trim()).toSorted()).toEqual(['0', '1']);
  });

  test('run units that systemd finds nothing wrong with', async () => {
    const verify =
      'grep -l KBS_DIGEST /etc/systemd/system/*.service | xargs systemd-analyze verify --man=no 2>&1 | grep -F /etc/systemd/system || :';
    const hosts = [...balancers, ...controllers, ...workers];
    const said = await Promise.all(hosts.map(async (host) => [host, await project.on(host, verify)]));
    expect(said).toEqual(hosts.map((host) => [host, '']));
  });

  // What follows is the same in both styles, and dear.
  if (style === 'static-pods') {
    test.each([
      ['a control plane', 'controller-01'],
      ['a load balancer', 'lb-00'],
      ['the other load balancer', 'lb-01'],
    ])('go on without %s', async (_, host) => {
      await project.kbs(`lab kill ${host}`);
      await answersAt(project, 'api.ha.internal');
      await project.kbs(`lab start ${host}`);
    });

    test.runIf(whole)('take a change while the first control plane is away, which hears of it later', async () => {
      const worker = 'worker-rack-00: { address: 192.168.50.20, roles: [worker]';
      const labelled = example.replace(worker, `${worker}, labels: { disk: fast }`);
      await project.kbs('lab kill controller-00');
      await project.write('kbs.yaml', labelled.replace(version, `${version}, controlPlane: ${style}`));
      const { stderr } = await project.kbs('apply --yes', { exit: 8 });
      expect(stderr).toContain('controller-00: skipped: ');
      const label = "get node worker-rack-00 -o jsonpath='{.metadata.labels.disk}'";
      const said = project.on('controller-01', `kubectl --kubeconfig /etc/kubernetes/admin.conf ${label}`);
      expect(await said).toBe('fast');
      const { stdout } = await project.kbs('plan', { exit: 8 });
      expect(stdout).toContain('nothing to change: 7 hosts are as the inventory says\nskipped: controller-00 (');
      await project.kbs('lab start controller-00');
    });

    test.runIf(whole)(
      'let one of them leave, though kbs is killed as etcd loses its member, and take it back',
      async () => {
        await killAt(project, 'remove controller-02 --yes', phaseStarted('controller-02', 'remove-member'));
        const { stderr } = await project.kbs('remove controller-02 --yes');
        expect(stderr).toContain('controller-02 stays in ');
        expect(await memberNames(project)).toEqual(['controller-00', 'controller-01']);
        expect(await readyNodes(project)).toEqual(nodes.filter((node) => node !== 'controller-02'));
        await project.kbs('apply --yes');
        expect(await memberNames(project)).toEqual(controllers);
        expect(await readyNodes(project)).toEqual(nodes);
      },
    );

    test.runIf(whole)('come back when everything is switched off and on', async () => {
      const before = await groupsOf(project, 'controller-00');
      await project.kbs('lab reboot all --power-cut');
      // A machine that was off has no control groups of what ran before, and neither has one of the lab.
      expect((await groupsOf(project, 'controller-00')).filter((group) => before.includes(group))).toEqual([]);
      await eventually(async () => expect(await readyNodes(project)).toEqual(nodes));
      await project.kbs('verify');
    });
  }

  if (whole) {
    test('roll a change of all three, one after the other', async () => {
      const changed = example.replace('name: api.ha.internal', 'name: k8s.ha.internal');
      await project.write('kbs.yaml', changed.replace(version, `${version}, controlPlane: ${style}`));
      await project.kbs('apply --yes --events roll.jsonl');
      const events = await eventsOf(project, 'roll.jsonl');
      const turns = controllers.map((host) => turnOf(events, host)).toSorted((a, b) => a.first - b.first);
      for (const [index, turn] of turns.entries()) {
        expect(turn.first).toBeGreaterThan(turns[index - 1]?.last ?? -1);
        expect(turn.last).toBeGreaterThan(turn.first);
      }
      await answersAt(project, 'k8s.ha.internal');
    });
  }

  test('have nothing to change after all that', async () => {
    expect(linesOf(await project.json<Plan>('plan'))).toEqual([]);
  });
});

/** The control groups of a host's containers. */
const groupsOf = async (project: Project, host: string): Promise<readonly string[]> => {
  const found = await project.on(host, "find /sys/fs/cgroup -type d -regex '.*/kubepods.*/[0-9a-f]*'");
  return [...new Set(found.match(/\b[0-9a-f]{64}\b/g))];
};

const memberNames = async (project: Project): Promise<readonly string[]> => {
  const list = await project.on('controller-00', `${etcdctl} member list`);
  return list
    .trim()
    .split('\n')
    .map((line) => line.split(', ')[2] ?? '')
    .toSorted();
};

/** From the first event of a host's changes to its control plane to the last, as places in the stream. */
const turnOf = (events: readonly Event[], host: string): { readonly first: number; readonly last: number } => {
  const own = events.flatMap((event, index) =>
    event.type === 'phase' &&
    event.host === host &&
    ['certificates', 'etcd', 'kubelet', 'control-plane'].includes(event.phase) &&
    (event.state === 'started' || event.state === 'done')
      ? [index]
      : [],
  );
  return { first: own[0] ?? -1, last: own.at(-1) ?? -1 };
};

const eventsOf = async ({ folder }: Project, file: string): Promise<readonly Event[]> => {
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Event);
};

/** The administrator's own kubeconfig works from outside, through the virtual address. */
const answersAt = async (project: Project, name: string): Promise<void> => {
  const { stdout } = await project.kbs('kubeconfig');
  expect(stdout).toContain(`https://${name}:6443`);
  await eventually(async () => expect(await readyz(stdout, '192.168.40.5')).toEqual({ status: 200, text: 'ok' }));
};

const etcdctl =
  'etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key';
