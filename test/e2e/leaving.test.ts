import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { changesOf, type Plan } from '../../src/engine/plan.js';
import { labKill } from '../../src/lab/index.js';
import type { EtcdStatus } from '../../src/workflows/etcd/etcd.js';
import type { Snapshot } from '../../src/workflows/etcd/snapshot.js';
import { replaceMachine } from './support/disk.js';
import { footprintOf } from './support/footprint.js';
import { kubectl, readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { killAt, phaseStarted } from './support/run-until.js';
import { whole } from './support/whole.js';

const entry = '  worker-01: { address: 172.27.10.21, roles: [worker] }\n';
const without = `# This comment stays.
apiVersion: kbs/v1
cluster: leaving
kubernetes: { version: 1.36.3 }
network:
  pods: 10.210.0.0/16
  services: 10.211.0.0/16
  segments:
    lan: { cidr: 172.27.10.0/24, gateway: 172.27.10.1 }
hosts:
  controller-00: { address: 172.27.10.10, roles: [control-plane] }
  worker-00: { address: 172.27.10.20, roles: [worker] }
  # and so does this one
`;

/** One cluster that hosts leave, one way after the other, and that loses its memory in the end. */
describe('a cluster that hosts leave', () => {
  let project: Project;
  let bare: string;

  const inventory = () => readFile(join(project.folder, 'kbs.yaml'), 'utf8');
  const changes = async () => linesOf(await project.json<Plan>('plan'));

  beforeAll(async () => {
    project = await makeProject('leaving', without + entry);
    await project.kbs('lab up');
    bare = await footprintOf(project, 'worker-01');
    await project.kbs('apply --yes');
    await kubectl(project, 'apply -f -', await work());
    await kubectl(project, 'rollout status deployment/web --timeout=120s');
  });
  afterAll(() => project?.remove());

  describe('as long as a budget holds a pod', () => {
    test('refuses before it asks, while the budget can never let the pod go', async () => {
      const { stderr } = await project.kbs('remove worker-01 --yes', { exit: 6 });
      expect(stderr).toMatch(/default\/web-\S+: the PodDisruptionBudget default\/web/);
    });

    test('shows what would be done, and does not', async () => {
      // The third pod finds no node, so the budget waits for it to become healthy.
      await kubectl(project, 'scale deployment/web --replicas=3');
      const plan = await project.json<Plan>('remove worker-01 --dry-run', 10);
      const phases = plan.hosts.find(({ host }) => host === 'worker-01')?.phases ?? [];
      expect(phases.slice(0, 2).map(({ phase, changes }) => `${phase}: ${changes.map(({ id }) => id).join()}`)).toEqual(
        ['drain: drain worker-01', 'delete-node: delete-node worker-01'],
      );
      const affected = changesOf(plan).flatMap(({ operation }) => operation?.affects ?? []);
      expect(affected.filter((text) => text.includes('default/web-'))).toHaveLength(1);
      expect(linesOf(plan)).toContain('worker-00 routes route 10.210.21.0/24');
      expect(await inventory()).toBe(without + entry);
      expect(await kubectl(project, 'get nodes')).not.toContain('SchedulingDisabled');
    });

    test('says which pod and which budget it waits for, and gives up in time', async () => {
      const { stderr } = await project.kbs('remove worker-01 --yes --timeout 8s', { exit: 7 });
      expect(stderr).toMatch(/waits until the PodDisruptionBudget default\/web .* lets default\/web-\S+ go/);
      expect(stderr).toContain('kubectl uncordon worker-01');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00', 'worker-01']);
      expect(await inventory()).toBe(without + entry);
    });
  });

  describe('once the budget gives way', () => {
    test('a worker leaves, though kbs is killed on the way', async () => {
      await kubectl(project, 'delete poddisruptionbudget web');
      // In each operation, and in the middle of the reset.
      for (const phase of whole ? ['drain', 'delete-node', 'kubelet'] : ['delete-node']) {
        await killAt(project, 'remove worker-01 --yes', phaseStarted('worker-01', phase));
      }
      await project.kbs('remove worker-01 --yes');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
      expect(await inventory()).toBe(without);
    });

    test('it is as it was found', async () => {
      expect(await footprintOf(project, 'worker-01')).toBe(bare);
    });

    test('the others have forgotten it', async () => {
      expect(await changes()).toEqual([]);
      for (const host of ['controller-00', 'worker-00']) {
        expect(await project.on(host, 'ip -4 route')).not.toContain('10.210.21.0/24');
      }
      await expect(stat(join(project.folder, '.kbs/leaving/keyring/hosts/worker-01'))).rejects.toThrow('ENOENT');
    });

    test('it comes back', async () => {
      await project.kbs('join worker-01=root@172.27.10.21 --yes');
      expect(await inventory()).toContain('worker-01: { address: 172.27.10.21, roles: [worker] }');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00', 'worker-01']);
    });
  });

  describe('when a worker dies', () => {
    test('it is not taken for dead because it does not answer', async () => {
      await labKill('leaving/worker-01');
      const { stderr } = await project.kbs('remove worker-01 --yes', { exit: 5 });
      expect(stderr).toContain('kbs remove --dead worker-01');
    });

    test('it is forgotten by the cluster, and by the inventory when that is asked for', async () => {
      const before = await inventory();
      await project.kbs('remove worker-01 --dead --yes');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
      expect(await inventory()).toBe(before);
      await project.kbs('remove worker-01 --dead --forget --yes');
      expect(await inventory()).not.toContain('worker-01');
      expect(await changes()).toEqual([]);
    });

    test('the last control plane is not taken out, dead or alive', async () => {
      await project.kbs('remove controller-00 --yes --force', { exit: 6 });
      await project.kbs('remove controller-00 --dead --yes', { exit: 6 });
    });
  });

  describe('and etcd', () => {
    let snapshot: Snapshot;

    test('says how its members are', async () => {
      const status = await project.json<EtcdStatus>('etcd status');
      expect(status).toMatchObject({ quorum: true, members: [{ name: 'controller-00', learner: false }] });
      expect(status.members[0]?.status).toMatchObject({ leader: true, errors: [] });
    });

    test('gives a snapshot that only its owner can read, and leaves nothing on the host', async () => {
      await kubectl(project, 'create configmap before');
      snapshot = await project.json<Snapshot>('etcd snapshot');
      expect(snapshot.keys).toBeGreaterThan(100);
      expect((await stat(snapshot.file)).mode & 0o777).toBe(0o600);
      expect(await project.on('controller-00', 'ls -d /var/tmp/kbs.* 2>/dev/null || :')).toBe('');
      await kubectl(project, 'create configmap after');
    });

    test('is defragmented while it serves', async () => {
      const { members } = await project.json<{ members: readonly { before: number; after: number }[] }>(
        'etcd defrag --yes',
      );
      expect(members).toHaveLength(1);
      for (const { before, after } of members) expect(after).toBeLessThanOrEqual(before);
    });

    test('is not replaced while it lives', async () => {
      const { stderr } = await project.kbs(`etcd restore ${snapshot.file} --yes`, { exit: 6 });
      expect(stderr).toContain('etcd is alive');
      await project.kbs('etcd restore kbs.yaml --yes', { exit: 2 });
    });

    test('goes back to a snapshot when that is forced, and keeps what it had', async () => {
      await project.kbs(`etcd restore ${snapshot.file} --yes --force`);
      expect(await namesOf(project)).toEqual(['before', 'kube-root-ca.crt']);
      expect(await project.on('controller-00', 'ls -d /var/lib/etcd.before-restore-*/member/wal')).not.toBe('');
      expect(await changes()).toEqual([]);
    });

    test('is not founded anew where it has lost its data', async () => {
      await project.on('controller-00', 'mv /var/lib/etcd/member /var/lib/member-away');
      const { stderr } = await project.kbs('apply --yes', { exit: 4 });
      await project.on('controller-00', 'mv /var/lib/member-away /var/lib/etcd/member');
      expect(stderr).toContain('etcd-data: etcd is installed, and its data are gone');
      expect(await changes()).toEqual([]);
    });

    test.runIf(whole)('begins anew on a bare machine, and the nodes come back by themselves', async () => {
      await replaceMachine('leaving/controller-00', project.labFiles);
      await project.kbs(`etcd restore ${snapshot.file} --yes`);
      expect(await namesOf(project)).toEqual(['before', 'kube-root-ca.crt']);
      await project.kbs('apply --yes');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
      expect(await changes()).toEqual([]);
      await kubectl(project, 'scale deployment/web --replicas=0');
      await kubectl(project, 'wait --for=delete pod --selector app=web --timeout=60s');
      await kubectl(project, 'scale deployment/web --replicas=1');
      await kubectl(project, 'rollout status deployment/web --timeout=120s');
      await project.kbs('verify');
    });
  });
});

const namesOf = async (project: Project): Promise<readonly string[]> =>
  (await kubectl(project, 'get configmaps -o name'))
    .split('\n')
    .filter(Boolean)
    .map((name) => name.replace('configmap/', ''))
    .toSorted();

/** Two pods, never on the same node, and a budget that can spare none of them. */
const work = async (): Promise<string> => {
  const image = referenceOf(await openBundle(defaultBundle('1.36.3')), 'probe');
  const labels = { app: 'web' };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 1,
              affinity: {
                podAntiAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: [
                    { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' },
                  ],
                },
              },
              containers: [
                {
                  name: 'web',
                  image,
                  imagePullPolicy: 'Never',
                  volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
                },
              ],
              volumes: [{ name: 'scratch', emptyDir: {} }],
            },
          },
        },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: 'default' },
        spec: { minAvailable: 2, selector: { matchLabels: labels } },
      },
    ],
  });
};
