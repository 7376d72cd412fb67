import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { apply } from '../../src/workflows/apply.js';
import { type Defragmented, defrag } from '../../src/workflows/defrag.js';
import { restore } from '../../src/workflows/restore.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(smallInventory);
const names = ['cp-0', 'cp-1', 'cp-2'];

const restoring = (project: Project, { force = false, letter = 'k' } = {}) => {
  const content = Buffer.alloc(512, letter);
  const file = join(dirname(project.inventory), `${letter}.db`);
  writeFileSync(file, Buffer.concat([content, createHash('sha256').update(content).digest()]));
  return restore({ file, force, now: new Date() });
};

const lose = (world: ScriptedCluster): void => {
  for (const machine of world.controlPlanes()) machine.data = false;
  world.members.clear();
  world.started.clear();
};

const isWell = (world: ScriptedCluster) =>
  world.controlPlanes().map((machine) => ({
    api: world.apiReady(machine),
    votes: world.members.get(machine.host.name)?.voter,
    restoring: machine.restoring,
    snapshot: machine.snapshot,
  }));
const well = names.map(() => ({ api: true, votes: true, restoring: undefined, snapshot: undefined }));

const doneIn = (world: ScriptedCluster): readonly string[] => [
  ...new Set(world.done.map(({ host, phase }) => `${host} ${phase}`)),
];

describe('a restore', () => {
  test.each<[string, (world: ScriptedCluster) => void, boolean]>([
    ['of a cluster that has lost all data of etcd', lose, false],
    ['of a cluster whose etcd is alive, by force', () => {}, true],
    [
      'of a cluster that has lost two of three members',
      (world) => {
        for (const name of ['cp-1', 'cp-2']) world.at(name).data = false;
      },
      false,
    ],
    [
      'onto new machines',
      (world) => {
        lose(world);
        for (const machine of world.controlPlanes()) machine.states.clear();
      },
      false,
    ],
  ])('%s starts from the snapshot', async (_, change, force) => {
    const { project, world } = await projects.cluster();
    change(world);
    const outcome = await run(project, world, restoring(project, { force }));
    expect(inWords(outcome)).toEqual([]);
    expect(isWell(world)).toEqual(well);
    expect(world.revision).toBeGreaterThan(1_000_000_000);
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
  });

  test.each(names)(
    'stops etcd on every control plane before the first one starts anew, however long %s takes',
    async (name) => {
      const { project, world } = await projects.cluster();
      world.slow = ({ host, phase }) => host === name && phase === 'stop-etcd';
      await run(project, world, restoring(project, { force: true }));
      const done = doneIn(world);
      const starts = Math.min(...names.map((each) => done.indexOf(`${each} etcd`)));
      for (const each of names) expect(done.indexOf(`${each} stop-etcd`)).toBeLessThan(starts);
      expect(done[0]).toBe('cp-0 snapshot');
      expect(done.at(-1)).toBe('cp-0 finish-restore');
    },
  );

  it('takes nothing away but what stopping etcd takes away', async () => {
    const { project, world } = await projects.cluster();
    await run(project, world, restoring(project, { force: true }));
    expect(world.done.filter(({ action }) => action === 'remove')).toEqual([]);
  });

  it('says before the question what is lost', async () => {
    const { project, world } = await projects.cluster();
    const alive = await run(project, world, restoring(project, { force: true }));
    expect(alive.asked[0]?.local).toEqual(['what etcd holds now, at revision 100, is lost']);
    lose(world);
    const dead = await run(project, world, restoring(project));
    expect(dead.asked[0]?.local).toEqual(['no etcd answers now']);
  });

  test.each(names)('in which %s fails is finished by the same command', async (name) => {
    const { project, world } = await projects.cluster();
    lose(world);
    world.failing = ({ host, phase }) => (host === name && phase === 'control-plane' ? 'the disk is full' : undefined);
    const first = await run(project, world, restoring(project));
    expect(inWords(first)).toContainEqual(expect.stringMatching(/^refused: create file .*kube-apiserver.yaml failed$/));
    world.failing = () => undefined;
    const second = await run(project, world, restoring(project));
    expect(inWords(second)).toEqual([]);
    expect(isWell(world)).toEqual(well);
    const shown = second.asked[0]?.plan.hosts ?? [];
    const finished = shown.filter(({ phases }) => phases.some(({ phase }) => phase === 'finish-restore'));
    expect(finished.map(({ host }) => host).toSorted()).toEqual(names);
  });

  it('that was interrupted is not taken up with another snapshot', async () => {
    const { project, world } = await projects.cluster();
    lose(world);
    world.killing = ({ host, phase }) => host === 'cp-0' && phase === 'control-plane';
    expect((await run(project, world, restoring(project))).killed).toBe(true);
    world.revive();
    expect(inWords(await run(project, world, restoring(project, { letter: 'x' })))).toEqual([
      'refused: etcd is alive, at revision 1000000100: nothing has to be restored',
    ]);
  });
});

describe('a defragmentation', () => {
  it('takes the followers first and the leader last, and gives the sizes', async () => {
    const { project, world } = await projects.cluster();
    const reported: Defragmented[][] = [];
    const outcome = await run(
      project,
      world,
      defrag((members) => reported.push([...members])),
    );
    expect(inWords(outcome)).toEqual([]);
    const leader = world.leader();
    expect(world.done.map(({ phase }) => phase)).toHaveLength(3);
    expect(world.done.at(-1)?.phase).toBe(`defrag ${leader}`);
    expect(reported).toHaveLength(1);
    expect(reported[0]?.map(({ before, after }) => [before, after])).toEqual(names.map(() => [8_000_000, 1_000_000]));
  });

  it('of a full etcd compacts its history first, and ends the alarm last', async () => {
    const { project, world } = await projects.cluster();
    world.full = true;
    expect(
      inWords(
        await run(
          project,
          world,
          defrag(() => {}),
        ),
      ),
    ).toEqual([]);
    expect(world.done.map(({ phase }) => phase.replace(/cp-\d/, 'cp'))).toEqual([
      'compact',
      'defrag cp',
      'defrag cp',
      'defrag cp',
      'disarm',
    ]);
    expect(world.full).toBe(false);
  });

  it('stops at the member that fails, and leaves the others as they are', async () => {
    const { project, world } = await projects.cluster();
    let sizes: unknown = 'not called';
    world.failing = ({ phase }) => (world.done.length === 1 && phase.startsWith('defrag') ? 'no space' : undefined);
    const outcome = await run(
      project,
      world,
      defrag((members) => {
        sizes = members;
      }),
    );
    expect(inWords(outcome)).toEqual([expect.stringMatching(/^refused: cp-\d was not defragmented$/)]);
    expect([world.done.length, sizes]).toEqual([1, 'not called']);
  });

  it('does not touch the next member while another one has stopped answering', async () => {
    const { project, world } = await projects.cluster();
    world.killing = () => {
      world.at('cp-1').off = true;
      return false;
    };
    const outcome = await run(
      project,
      world,
      defrag(() => {}),
    );
    expect(inWords(outcome)).toEqual(['timeout: timed out after 60 s waiting for: all members are healthy']);
    expect(world.done).toHaveLength(1);
  });
});
