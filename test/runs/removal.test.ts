import { describe, expect, it, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { apply } from '../../src/workflows/apply.js';
import { type RemoveOptions, remove } from '../../src/workflows/remove.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { scriptedInventory } from '../support/scripted-inventory.js';
import { inWords, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(scriptedInventory);

const removal = (names: readonly string[], options: Partial<RemoveOptions> = {}) =>
  remove({ names, dead: false, force: false, forget: false, say: () => {}, ...options });

const phasesOf = (plan: Plan | undefined, name: string): readonly string[] =>
  plan?.hosts.find(({ host }) => host === name)?.phases.map(({ phase }) => phase) ?? [];

/** `host phase` of all that was done, in order, each once. */
const doneIn = (world: ScriptedCluster): readonly string[] => [
  ...new Set(world.done.map(({ host, phase }) => `${host} ${phase}`)),
];

/** What is left of a host. */
const remains = (world: ScriptedCluster, name: string) => {
  const { states, data } = world.at(name);
  return { states: [...states.keys()], data, node: world.objects.has(`Node/${name}`), member: world.members.has(name) };
};
const nothing = { states: [], data: false, node: false, member: false };

const pod = (name: string, controller?: string) => ({
  metadata: {
    name,
    namespace: 'shop',
    ...(controller ? { ownerReferences: [{ kind: controller, controller: true }] } : {}),
  },
});

describe('the plan of a removal', () => {
  it('lists what takes a control plane out in its order, and then what is reset', async () => {
    const { project, world } = await projects.cluster();
    world.pods = [
      { node: 'cp-2', pod: pod('web', 'ReplicaSet') },
      { node: 'cp-2', pod: pod('agent', 'DaemonSet') },
    ];
    const { result } = await run(project, world, removal(['cp-2']), { dryRun: true });
    const phases = phasesOf(result?.plan, 'cp-2');
    expect(phases.slice(0, 6)).toEqual([
      'drain',
      'control-plane',
      'remove-member',
      'delete-node',
      'stop',
      'node-images',
    ]);
    expect(phases.slice(-3)).toEqual(['certificates', 'prepare', 'clean-up-state']);
    const operations = result?.plan.hosts.flatMap((host) =>
      host.phases.flatMap(({ changes }) =>
        changes.flatMap(({ id, operation }) => (operation ? [{ id, operation }] : [])),
      ),
    );
    expect(operations?.map(({ id, operation }) => [id, operation.host, operation.affects])).toEqual([
      ['drain cp-2', 'cp-0', ['evicts pod shop/web']],
      ['remove-member cp-2', 'cp-0', ['removes etcd member cp-2']],
      ['delete-node cp-2', 'cp-0', ['deletes object Node/cp-2']],
    ]);
  });

  it('names what changes on those that stay: load balancers first, then zones, routes and the record of pod CIDRs', async () => {
    const { project, world } = await projects.cluster();
    const { result } = await run(project, world, removal(['cp-2']), { dryRun: true });
    expect(
      Object.fromEntries(
        ['lb-0', 'lb-1', 'cp-0', 'cp-1', 'w-1', 'edge'].map((name) => [name, phasesOf(result?.plan, name)]),
      ),
    ).toEqual({
      'lb-0': ['load-balancer', 'lan-zones'],
      'lb-1': ['load-balancer', 'lan-zones'],
      'cp-0': ['nodes'],
      'cp-1': [],
      'w-1': ['routes'],
      edge: ['routes'],
    });
  });

  it('hands leadership of etcd over where the leader leaves', async () => {
    const { project, world } = await projects.cluster();
    const { result } = await run(project, world, removal(['cp-0']), { dryRun: true });
    const [member] = result?.plan.hosts[0]?.phases.find(({ phase }) => phase === 'remove-member')?.changes ?? [];
    expect(member?.operation).toMatchObject({
      host: 'cp-1',
      affects: ['removes etcd member cp-0', expect.stringMatching(/^hands leadership over to cp-[12]$/)],
    });
  });
});

describe('a removal', () => {
  test.each([['w-1'], ['cp-2'], ['cp-0'], ['lb-1']])(
    'of %s leaves nothing of it on the host, in etcd and in the API',
    async (name) => {
      const { project, world } = await projects.cluster();
      if (name !== 'lb-1') world.pods = [{ node: name, pod: pod('web', 'ReplicaSet') }];
      const outcome = await run(project, world, removal([name]));
      expect(inWords(outcome)).toEqual([]);
      expect(remains(world, name)).toEqual(nothing);
      expect(world.pods).toEqual([]);
    },
  );

  it('changes load balancers before anything of a control plane ends, and all else after it has left', async () => {
    const { project, world } = await projects.cluster();
    await run(project, world, removal(['cp-2']));
    const done = doneIn(world);
    expect(done.slice(0, 6)).toEqual([
      'lb-0 load-balancer',
      'lb-1 load-balancer',
      'cp-2 drain',
      'cp-2 control-plane',
      'cp-2 remove-member',
      'cp-2 delete-node',
    ]);
    expect(done.slice(6)).toEqual(expect.arrayContaining(['cp-2 stop', 'lb-0 lan-zones', 'w-1 routes', 'cp-0 nodes']));
  });

  it('of several takes one after the other out of the cluster, and resets them when all have left', async () => {
    const { project, world } = await projects.cluster();
    const outcome = await run(project, world, removal(['w-1', 'cp-1', 'cp-2', 'lb-1']));
    expect(inWords(outcome)).toEqual([]);
    const leave = doneIn(world).filter((each) =>
      /^(cp-[12]|w-1) (drain|control-plane|remove-member|delete-node)$/.test(each),
    );
    expect(leave).toEqual([
      ...['cp-1', 'cp-2'].flatMap((name) =>
        ['drain', 'control-plane', 'remove-member', 'delete-node'].map((phase) => `${name} ${phase}`),
      ),
      'w-1 drain',
      'w-1 delete-node',
    ]);
    expect(doneIn(world).findIndex((each) => each.endsWith(' stop'))).toBeGreaterThan(
      doneIn(world).indexOf('w-1 delete-node'),
    );
    for (const name of ['w-1', 'cp-1', 'cp-2', 'lb-1']) expect(remains(world, name)).toEqual(nothing);
    expect([...world.members.keys()]).toEqual(['cp-0']);
    expect(project.files()['kbs.yaml']).not.toMatch(/cp-1|cp-2|w-1|lb-1/);
  });

  it('takes the host out of the inventory and its keys out of the keyring, once it has left', async () => {
    const { project, world } = await projects.cluster();
    const keys = () => Object.keys(project.files()).filter((path) => path.includes('/keyring/hosts/w-1/'));
    expect(keys()).not.toEqual([]);
    world.failing = ({ phase }) => (phase === 'certificates' ? 'the disk is broken' : undefined);
    expect(inWords(await run(project, world, removal(['w-1'])))).toEqual([
      expect.stringMatching(/^refused: remove file .* failed$/),
    ]);
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory);
    world.failing = () => undefined;
    await run(project, world, removal(['w-1']));
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory.replace(/ {2}w-1: .*\n/, ''));
    expect(keys()).toEqual([]);
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
  });

  it('that leaves two control planes keeps the third in the inventory, for its replacement', async () => {
    const { project, world } = await projects.cluster();
    const said: string[] = [];
    const { asked } = await run(project, world, removal(['cp-2'], { say: (text) => said.push(text) }));
    expect(asked[0]?.local[0]).toMatch(/^cp-2 stays in .*, which would be wrong otherwise/);
    expect(said).toEqual(asked[0]?.local);
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory);
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
    expect(world.apiReady(world.at('cp-2'))).toBe(true);
  });

  it('by force loses pods that no controller makes again', async () => {
    const { project, world } = await projects.cluster();
    world.pods = [{ node: 'w-1', pod: pod('alone') }];
    const outcome = await run(project, world, removal(['w-1'], { force: true }));
    expect(outcome.asked[0]?.plan.hosts[0]?.phases[0]?.changes[0]?.operation?.affects).toEqual([
      'evicts pod shop/alone, which no controller makes again',
    ]);
    expect(remains(world, 'w-1')).toEqual(nothing);
  });

  it('that cannot drain its host stops there', async () => {
    const { project, world } = await projects.cluster();
    world.failing = ({ phase }) => (phase === 'drain' ? 'a budget' : undefined);
    const outcome = await run(project, world, removal(['w-1']));
    expect(inWords(outcome)).toEqual(['refused: the pods of w-1 did not leave it within 300 s']);
    expect(doneIn(world)).toEqual([]);
  });
});

describe('a dead host', () => {
  const killed = async (name: string) => {
    const { project, world } = await projects.cluster();
    world.at(name).off = true;
    return { project, world };
  };

  test.each(['w-1', 'cp-2'])('%s is asked nothing, and leaves etcd and the API', async (name) => {
    const { project, world } = await killed(name);
    const outcome = await run(project, world, removal([name], { dead: true }));
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.result?.commands).not.toHaveProperty([name]);
    expect(remains(world, name)).toMatchObject({ node: false, member: false });
    expect(doneIn(world).filter((each) => each.startsWith(`${name} `))).toEqual(
      name === 'w-1' ? ['w-1 delete-node'] : ['cp-2 remove-member', 'cp-2 delete-node'],
    );
  });

  it('stays in the inventory for the machine that takes its place, unless it is to be forgotten', async () => {
    const { project, world } = await killed('w-1');
    await run(project, world, removal(['w-1'], { dead: true }));
    expect(project.files()['kbs.yaml']).toBe(scriptedInventory);
    await run(project, world, removal(['w-1'], { dead: true, forget: true }));
    expect(project.files()['kbs.yaml']).not.toContain('w-1');
  });

  it('is replaced by a new machine of its name', async () => {
    const { project, world } = await killed('cp-2');
    await run(project, world, removal(['cp-2'], { dead: true }));
    Object.assign(world.at('cp-2'), { off: false, data: false });
    world.at('cp-2').states.clear();
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
    expect([world.apiReady(world.at('cp-2')), world.members.get('cp-2')?.voter]).toEqual([true, true]);
  });
});

describe('a load balancer', () => {
  it('that fails its update stops a removal before a host leaves', async () => {
    const { project, world } = await projects.cluster();
    world.failing = ({ host, phase }) =>
      host === 'lb-1' && phase === 'load-balancer' ? 'haproxy refuses it' : undefined;
    const outcome = await run(project, world, removal(['cp-2']));
    expect(inWords(outcome)).toEqual(['refused: update file /etc/haproxy/haproxy.cfg failed']);
    expect(doneIn(world)).toEqual(['lb-0 load-balancer']);
    expect(world.members.has('cp-2')).toBe(true);
  });

  it('that fails its update does not stop a removal by force', async () => {
    const { project, world } = await projects.cluster();
    world.failing = ({ host, phase }) =>
      host === 'lb-1' && phase === 'load-balancer' ? 'haproxy refuses it' : undefined;
    const outcome = await run(project, world, removal(['cp-2'], { force: true }));
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.result?.summary.skipped.map(({ host }) => host)).toEqual(['lb-1']);
    expect(remains(world, 'cp-2')).toEqual(nothing);
  });

  it('that answers and cannot be observed refuses a removal before the question', async () => {
    const { project, world } = await projects.cluster();
    world.refusing = (host, question) =>
      host === 'lb-1' && question.startsWith('look_file /etc/haproxy/haproxy.cfg')
        ? { code: 1, output: 'I/O error' }
        : undefined;
    const outcome = await run(project, world, removal(['cp-2']));
    expect(inWords(outcome)).toEqual(['refused: cannot query file /etc/haproxy/haproxy.cfg']);
    expect(outcome.asked).toEqual([]);
  });

  it('that is down keeps the last one that serves from being changed, so that no host leaves', async () => {
    const { project, world } = await projects.cluster();
    world.at('lb-1').off = true;
    const outcome = await run(project, world, removal(['cp-2']));
    expect(inWords(outcome)).toEqual([
      'timeout: timed out after 120 s waiting for: another load balancer serves',
      'unreachable: lb-1 does not answer',
    ]);
    expect(doneIn(world)).toEqual([]);
  });

  it('that serves and cannot be reached does not stop a removal', async () => {
    const { project, world } = await projects.cluster();
    world.at('lb-1').cutOff = true;
    const outcome = await run(project, world, removal(['cp-2']));
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.result?.summary.skipped.map(({ host, problem }) => [host, problem.code])).toEqual([
      ['lb-1', 'unreachable'],
    ]);
    expect(remains(world, 'cp-2')).toEqual(nothing);
  });
});
