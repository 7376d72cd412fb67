import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { apply } from '../../src/workflows/apply.js';
import { defrag } from '../../src/workflows/defrag.js';
import { init } from '../../src/workflows/init.js';
import { join as joinWorkflow } from '../../src/workflows/join.js';
import { resolveJoinTargets } from '../../src/workflows/join-targets.js';
import type { LoadedCluster } from '../../src/workflows/load-cluster.js';
import { type RemoveOptions, remove } from '../../src/workflows/remove.js';
import { reset } from '../../src/workflows/reset.js';
import { restore } from '../../src/workflows/restore.js';
import type { Workflow } from '../../src/workflows/run/context.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { revokeAccess } from '../../src/workflows/users.js';
import { type Done, ScriptedCluster } from '../support/scripted-cluster.js';
import { scriptedInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, refuse, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(scriptedInventory);

/** A run that is about to begin. */
interface Setting {
  readonly project: Project;
  readonly world: ScriptedCluster;
  readonly workflow: Workflow;
  readonly loaded?: LoadedCluster;
  readonly dryRun?: true;
}

const removal = (names: readonly string[], options: Partial<RemoveOptions> = {}): Workflow =>
  remove({ names, dead: false, force: false, forget: false, say: () => {}, ...options });

const onCluster = async (workflow: Workflow): Promise<Setting> => ({ ...(await projects.cluster()), workflow });

const snapshotIn = (project: Project): string => {
  const file = join(dirname(project.inventory), 'snapshot.db');
  const content = Buffer.alloc(512, 'k');
  writeFileSync(file, Buffer.concat([content, createHash('sha256').update(content).digest()]));
  return file;
};

const restoration = async (force = false): Promise<Setting> => {
  const { project, world } = await projects.cluster();
  return { project, world, workflow: restore({ file: snapshotIn(project), force, now: new Date() }) };
};

/** A host that the inventory does not hold yet. */
const newWorker = async (address = '192.168.40.22'): Promise<Setting> => {
  const { project, world: others } = await projects.cluster();
  const { loaded, joining } = await resolveJoinTargets(project.inventory, [`w-2=root@${address}`], undefined);
  const world = new ScriptedCluster(loaded.cluster);
  world.copy(others);
  return { project, world, workflow: phaseRun(joinWorkflow, { joining }), loaded };
};

/** A worker of the inventory that has not joined yet. */
const oldWorker = async (): Promise<Setting> => {
  const { project, world } = await projects.cluster();
  world.at('w-1').states.clear();
  world.objects.delete('Node/w-1');
  return { project, world, workflow: phaseRun(joinWorkflow, { joining: ['w-1'] }) };
};

const userOfTheCluster = async (): Promise<Setting> => {
  const { project, world } = await projects.cluster();
  const metadata = { name: 'anna', namespace: 'kbs-users', labels: { 'kbs.dev/user': 'anna' } };
  world.objects.set('ServiceAccount/kbs-users/anna', { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  return { project, world, workflow: revokeAccess('anna') };
};

const everyRun: readonly (readonly [string, () => Promise<Setting>])[] = [
  ['init on bare machines', async () => ({ ...(await projects.bare()), workflow: phaseRun(init) })],
  ['apply on bare machines', async () => ({ ...(await projects.bare()), workflow: phaseRun(apply) })],
  ['join of a worker', oldWorker],
  ['join of a new host', () => newWorker()],
  ['join of a new host that would move another one', () => newWorker('192.168.40.12')],
  ['remove of a worker', () => onCluster(removal(['w-1']))],
  ['remove of a control plane', () => onCluster(removal(['cp-2']))],
  ['remove of several hosts', () => onCluster(removal(['cp-1', 'cp-2', 'w-1', 'lb-1']))],
  ['remove of a dead worker', () => onCluster(removal(['w-1'], { dead: true, forget: true }))],
  ['reset of all hosts', () => onCluster(reset({ names: [], force: false, say: () => {} }))],
  ['remove of a user', userOfTheCluster],
  ['etcd restore', () => restoration(true)],
  ['etcd defrag', () => onCluster(defrag(() => {}))],
];

describe.each(everyRun)('%s', (name, setting) => {
  it('changes nothing in a dry run, before the question is answered, and where the answer is no', async () => {
    const { project, world, workflow, loaded } = await setting();
    const options = loaded ? { loaded } : {};
    const before = [world.snapshot(), project.files()];
    const dry = await run(project, world, workflow, { ...options, dryRun: true });
    expect(inWords(dry)).toEqual([]);
    expect([world.snapshot(), project.files(), dry.asked]).toEqual([...before, []]);
    let meanwhile: unknown;
    const wet = await run(project, world, workflow, {
      ...options,
      answer() {
        meanwhile = [world.snapshot(), project.files()];
        refuse();
      },
    });
    expect(inWords(wet)).toEqual(['refused: the answer was no']);
    expect(meanwhile).toEqual(before);
    expect([world.snapshot(), project.files()]).toEqual(before);
    expect(wet.asked).toHaveLength(1);
    // What the keyring has yet to issue stands as a placeholder in a dry run.
    const compared = loaded ? outlineOf : (plan: Plan | undefined) => plan;
    expect(compared(dry.result?.plan)).toEqual(compared(wet.asked[0]?.plan));
    expect(dry.result?.summary.pending).toBe(outlineOf(wet.asked[0]?.plan).length);
  });

  it('changes exactly what it asked for, each host in the order of the plan, and leaves nothing to do', async () => {
    const { project, world, workflow, loaded } = await setting();
    const outcome = await run(project, world, workflow, loaded ? { loaded } : {});
    expect(inWords(outcome)).toEqual([]);
    const [asked] = outcome.asked;
    expect(outcome.result?.plan).toEqual(asked?.plan);
    const byHost = (changes: readonly Done[]) => {
      const hosts = [...new Set(changes.map(({ host }) => host))].toSorted();
      return hosts.map((of) => changes.filter(({ host }) => host === of));
    };
    expect(byHost(world.done)).toEqual(byHost(outlineOf(asked?.plan)));
    expect(outcome.result?.summary.changes).toBe(world.done.length);
    if (/^(remove|reset|etcd)/.test(name)) return;
    const again = await run(project, world, workflow);
    expect([inWords(again), again.asked]).toEqual([[], []]);
  });
});

/** The changes of a plan, without their content. */
const outlineOf = (plan: Plan | undefined) =>
  (plan?.hosts ?? []).flatMap(({ host, phases }) =>
    phases.flatMap(({ phase, changes }) => changes.map(({ kind, id, action }) => ({ host, phase, kind, id, action }))),
  );

describe('where nothing is left to change', () => {
  test.each<[string, () => Promise<Setting>]>([
    ['init', () => onCluster(phaseRun(init))],
    ['apply', () => onCluster(phaseRun(apply))],
    ['join', () => onCluster(phaseRun(joinWorkflow, { joining: ['w-0', 'w-1'] }))],
  ])('%s asks nothing', async (_, setting) => {
    const { project, world, workflow } = await setting();
    const outcome = await run(project, world, workflow);
    expect(inWords(outcome)).toEqual([]);
    expect([outcome.asked, world.done]).toEqual([[], []]);
  });
});

describe('on this machine', () => {
  it('the inventory gets a new host only with the answer yes', async () => {
    const { project, world, workflow, loaded } = await newWorker();
    if (!loaded) throw new Error('no cluster');
    await run(project, world, workflow, { loaded, dryRun: true });
    await run(project, world, workflow, { loaded, answer: refuse });
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory);
    const { said } = await run(project, world, workflow, { loaded });
    expect(project.files()['kbs.yaml']).toContain('w-2: { address: 192.168.40.22');
    expect(said).toContain(`wrote ${project.inventory}`);
    expect(world.nodeReady('w-2')).toBe(true);
  });

  it('a new key is written only with the answer yes, and before the first host changes', async () => {
    const { project, world } = await projects.bare();
    for (const part of ['crt', 'key']) rmSync(join(project.keyring, `scheduler.${part}`));
    const before = project.files();
    await run(project, world, phaseRun(init), { answer: refuse });
    await run(project, world, phaseRun(init), { dryRun: true });
    expect(project.files()).toEqual(before);
    world.killing = () => true;
    expect(await run(project, world, phaseRun(init))).toMatchObject({ killed: true });
    const more = Object.keys(project.files()).filter((path) => !(path in before));
    expect(more.toSorted()).toEqual([
      '.kbs/scripted/keyring/scheduler.crt',
      '.kbs/scripted/keyring/scheduler.key',
      '.kbs/scripted/kubeconfig',
      '.kbs/scripted/pod-cidrs.json',
    ]);
  });

  it('a plan that is saved has its keys written with it', async () => {
    const { project, world } = await projects.bare();
    for (const part of ['crt', 'key']) rmSync(join(project.keyring, `scheduler.${part}`));
    const { result } = await run(project, world, phaseRun(init), { dryRun: true, exact: true });
    expect(project.files()).toHaveProperty(['.kbs/scripted/keyring/scheduler.key']);
    const outcome = await run(project, world, phaseRun(init), result ? { saved: result.plan } : {});
    expect(outcome.result?.plan).toEqual(result?.plan);
  });

  it('a pod CIDR that would move is written into the inventory, with the new host, only with the answer yes', async () => {
    const { project, world, workflow, loaded } = await newWorker('192.168.40.12');
    if (!loaded) throw new Error('no cluster');
    const { asked } = await run(project, world, workflow, { loaded, answer: refuse });
    expect(asked[0]?.local).toEqual([
      expect.stringContaining(
        `${project.inventory}, with what would change otherwise: hosts.w-0.podCIDR: 10.244.12.0/24`,
      ),
    ]);
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory);
    await run(project, world, workflow, { loaded });
    expect(project.files()['kbs.yaml']).toMatch(/w-0: .*podCIDR: 10\.244\.12\.0\/24/);
    expect(project.files()['kbs.yaml']).toContain('w-2: { address: 192.168.40.12');
  });

  it('a second run at the same time is refused as locked, and changes nothing', async () => {
    const { project, world, workflow } = await oldWorker();
    let second: readonly string[] = [];
    const first = await run(project, world, workflow, {
      async answer() {
        second = inWords(await run(project, world, phaseRun(apply)));
        refuse();
      },
    });
    expect(second).toEqual(['locked: another run of kbs is at work on this cluster']);
    expect([inWords(first), world.done]).toEqual([['refused: the answer was no'], []]);
  });
});

describe('a saved plan', () => {
  const saved = async () => {
    const { project, world, workflow } = await oldWorker();
    const { result } = await run(project, world, workflow, { dryRun: true, exact: true });
    if (!result) throw new Error('there is no plan');
    return { project, world, workflow, plan: result.plan };
  };

  it('is applied where it still holds', async () => {
    const { project, world, workflow, plan } = await saved();
    const outcome = await run(project, world, workflow, { saved: plan });
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.result?.plan).toEqual(plan);
    expect(world.nodeReady('w-1')).toBe(true);
  });

  test.each<[string, (world: ScriptedCluster, project: Project) => void]>([
    ['a host has changed since', (world) => void world.at('edge').states.delete('file /usr/local/lib/kbs/routes')],
    ['the inventory has changed since', (_, project) => writeFileSync(project.inventory, relabelled)],
  ])('is refused before the question where %s', async (_, change) => {
    const { project, world, workflow, plan } = await saved();
    change(world, project);
    const outcome = await run(project, world, workflow, { saved: plan });
    expect(inWords(outcome)).toEqual(['refused: the hosts or the inventory have changed since this plan was saved']);
    expect([outcome.asked, world.done]).toEqual([[], []]);
  });

  const relabelled = scriptedInventory.replace(
    'w-1: { address: 192.168.50.20',
    'w-1: { labels: { a: b }, address: 192.168.50.20',
  );
});

describe('before the question a run refuses', () => {
  const pod = (name: string) => ({ metadata: { name, namespace: 'shop' } });
  const foreign = { clusterCa: 'f'.repeat(64) };
  const off = (world: ScriptedCluster, ...names: readonly string[]) => {
    for (const name of names) world.at(name).off = true;
  };

  test.each<[string, () => Promise<Setting>, (setting: Setting) => void, readonly string[]]>([
    [
      'to remove the last control plane',
      () => onCluster(removal(['cp-0', 'cp-1', 'cp-2'], { force: true })),
      () => {},
      ['refused: cp-0, cp-1, cp-2: the last control plane cannot be removed'],
    ],
    [
      'to remove the last load balancer, which is the last DNS server too',
      () => onCluster(removal(['lb-0', 'lb-1'])),
      () => {},
      [
        'refused: lb-0, lb-1: the last load balancer cannot be removed',
        'refused: lb-0, lb-1: the last DNS server cannot be removed',
      ],
    ],
    [
      'to remove a worker with a pod that no controller makes again',
      () => onCluster(removal(['w-1'])),
      ({ world }) => world.pods.push({ node: 'w-1', pod: pod('alone') }),
      ['refused: w-1 has pods that no controller makes again elsewhere'],
    ],
    [
      'to remove a control plane without which etcd has no quorum',
      () => onCluster(removal(['cp-2'])),
      ({ world }) => off(world, 'cp-1'),
      ['refused: without cp-2 etcd would lose its quorum'],
    ],
    [
      'to remove a host as dead whose etcd member answers',
      () => onCluster(removal(['cp-2'], { dead: true, force: true })),
      () => {},
      ['refused: cp-2 is not dead: its etcd member answers'],
    ],
    [
      'to remove hosts that do not answer',
      () => onCluster(removal(['w-0', 'w-1'])),
      ({ world }) => off(world, 'w-0', 'w-1'),
      ['unreachable: w-0 does not answer', 'unreachable: w-1 does not answer'],
    ],
    [
      'to remove a host of another cluster',
      () => onCluster(removal(['w-1'])),
      ({ world }) => {
        world.at('w-1').facts = foreign;
      },
      ['preflight: authority: this host belongs to a cluster whose CA is not in this keyring'],
    ],
    [
      'to change a host of another cluster',
      () => onCluster(phaseRun(apply)),
      ({ world }) => {
        world.at('w-0').facts = foreign;
      },
      ['preflight: authority: this host belongs to a cluster whose CA is not in this keyring'],
    ],
    [
      'to begin a cluster on hosts of another one',
      async () => ({ ...(await projects.bare()), workflow: phaseRun(init) }),
      ({ world }) => {
        for (const name of ['cp-0', 'cp-1']) world.at(name).facts = foreign;
      },
      Array.from(
        { length: 2 },
        () => 'preflight: authority: this host belongs to a cluster whose CA is not in this keyring',
      ),
    ],
    [
      'to begin a cluster with data of etcd that it did not put there',
      async () => ({ ...(await projects.bare()), workflow: phaseRun(init) }),
      ({ world }) => {
        const system = {
          packageManager: 'apt' as const,
          like: [],
          programs: [],
          mounts: [],
          etcdClusters: [],
          otherClusters: [],
          zramUnits: [],
        };
        world.at('cp-0').facts = { etcdMember: true, system };
      },
      ['preflight: foreign-etcd: /var/lib/etcd has data that cluster scripted did not put there'],
    ],
    [
      'to restore etcd where it is alive',
      () => restoration(),
      () => {},
      ['refused: etcd is alive, at revision 100: nothing has to be restored'],
    ],
    [
      'to restore etcd without the keyring',
      // A dry run, so that no other keyring is made meanwhile.
      async () => ({ ...(await restoration(true)), dryRun: true }),
      ({ project }) => rmSync(project.keyring, { recursive: true }),
      ['refused: the keyring does not fit any snapshot'],
    ],
    [
      'to restore etcd while a control plane does not answer',
      () => restoration(true),
      ({ world }) => off(world, 'cp-1'),
      ['unreachable: cp-1 does not answer'],
    ],
    [
      'to go on without a router',
      () => onCluster(phaseRun(apply)),
      ({ world }) => off(world, 'edge'),
      ['unreachable: edge does not answer'],
    ],
    [
      'to go on without any control plane',
      () => onCluster(phaseRun(apply)),
      ({ world }) => off(world, 'cp-0', 'cp-1', 'cp-2'),
      ['cp-0', 'cp-1', 'cp-2'].map((name) => `unreachable: ${name} does not answer`),
    ],
    [
      'to join a worker that does not answer',
      oldWorker,
      ({ world }) => off(world, 'w-1'),
      ['unreachable: w-1 does not answer'],
    ],
    [
      'to join a worker where there is no cluster',
      async () => ({ ...(await projects.bare()), workflow: phaseRun(joinWorkflow, { joining: ['w-1'] }) }),
      () => {},
      ['refused: the cluster does not answer'],
    ],
    [
      'to reset a host of another cluster',
      () => onCluster(reset({ names: [], force: false, say: () => {} })),
      ({ world }) => {
        world.at('w-1').facts = foreign;
      },
      ['preflight: authority: this host belongs to a cluster whose CA is not in this keyring'],
    ],
    [
      'to defragment etcd while a member does not answer',
      () => onCluster(defrag(() => {})),
      ({ world }) => off(world, 'cp-1'),
      ['refused: etcd cannot be defragmented while a member is unhealthy'],
    ],
  ])('%s', async (_, setting, change, words) => {
    const now = await setting();
    const { project, world, workflow } = now;
    change(now);
    const before = [world.snapshot(), project.files()];
    const outcome = await run(project, world, workflow, { dryRun: now.dryRun ?? false });
    expect(inWords(outcome)).toEqual(words);
    expect(outcome.asked).toEqual([]);
    expect([world.snapshot(), project.files()]).toEqual(before);
  });
});

describe('a run goes on', () => {
  const damaged = async () => {
    const { project, world } = await projects.cluster();
    for (const name of ['cp-1', 'w-1']) world.at(name).states.delete('file /usr/local/lib/kbs/routes');
    return { project, world, workflow: phaseRun(apply) };
  };
  const problems = ({ result }: Awaited<ReturnType<typeof run>>) =>
    result?.summary.skipped.map(({ host, problem }) => `${host}: ${problem.code}: ${problem.what}`);

  it('without a worker that does not answer, which the plan and the summary name', async () => {
    const { project, world, workflow } = await damaged();
    world.at('w-0').off = true;
    const outcome = await run(project, world, workflow);
    expect(inWords(outcome)).toEqual([]);
    expect(problems(outcome)).toEqual(['w-0: unreachable: w-0 does not answer']);
    expect(outcome.asked[0]?.plan.hosts).toContainEqual(
      expect.objectContaining({ host: 'w-0', skipped: expect.objectContaining({ code: 'unreachable' }), phases: [] }),
    );
    expect(world.done.map(({ host }) => host).toSorted()).toEqual(['cp-1', 'w-1']);
  });

  test.each(['cp-0', 'cp-2'])('without %s while another API server answers', async (name) => {
    const { project, world, workflow } = await damaged();
    world.at(name).off = true;
    world.objects.delete('Deployment/kube-system/coredns');
    const outcome = await run(project, world, workflow);
    expect(inWords(outcome)).toEqual([]);
    expect(problems(outcome)).toEqual([`${name}: unreachable: ${name} does not answer`]);
    expect(world.objects.has('Deployment/kube-system/coredns')).toBe(true);
    expect(world.done.some(({ host }) => host === name)).toBe(false);
  });

  it('where one of two workers that join does not answer', async () => {
    const { project, world } = await oldWorker();
    world.at('w-0').states.clear();
    world.objects.delete('Node/w-0');
    world.at('w-0').off = true;
    const outcome = await run(project, world, phaseRun(joinWorkflow, { joining: ['w-0', 'w-1'] }));
    expect(inWords(outcome)).toEqual([]);
    expect(problems(outcome)).toEqual(['w-0: unreachable: w-0 does not answer']);
    expect([world.nodeReady('w-0'), world.nodeReady('w-1')]).toEqual([false, true]);
    expect(world.objects.has('Node/w-0')).toBe(false);
  });

  it('while a worker fails, and names what failed', async () => {
    const { project, world, workflow } = await damaged();
    world.failing = ({ host }) => (host === 'w-1' ? 'the disk is full' : undefined);
    const outcome = await run(project, world, workflow);
    expect(problems(outcome)).toEqual(['w-1: refused: create file /usr/local/lib/kbs/routes failed']);
    expect(outcome.result?.summary.skipped[0]?.problem.why).toEqual(['the disk is full']);
    expect(world.done.map(({ host }) => host)).toEqual(['cp-1']);
  });

  it('to its end while a control plane fails, and then fails too', async () => {
    const { project, world, workflow } = await damaged();
    world.failing = ({ host }) => (host === 'cp-1' ? 'the disk is full' : undefined);
    const outcome = await run(project, world, workflow);
    expect(inWords(outcome)).toEqual(['refused: create file /usr/local/lib/kbs/routes failed']);
    expect(world.done.map(({ host }) => host)).toEqual(['w-1']);
    expect(outcome.events.at(-1)).toMatchObject({
      type: 'run',
      state: 'failed',
      summary: { skipped: [{ host: 'cp-1' }] },
    });
  });
});
