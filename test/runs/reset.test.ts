import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { apply } from '../../src/workflows/apply.js';
import { type ResetOptions, reset } from '../../src/workflows/reset.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { scriptedInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(scriptedInventory);

const resetOf = (names: readonly string[] = [], options: Partial<ResetOptions> = {}) =>
  reset({ names, force: false, say: () => {}, ...options });

/** The hosts on which anything of kbs is left. */
const remaining = ({ machines }: ScriptedCluster): readonly string[] =>
  [...machines].flatMap(([name, { states, data }]) => (states.size > 0 || data ? [name] : []));

const names = ({ machines }: ScriptedCluster): readonly string[] => [...machines.keys()];

describe('a reset of all hosts', () => {
  it('leaves nothing on any of them, and keeps inventory, keyring and pod CIDRs', async () => {
    const { project, world } = await projects.cluster();
    const before = project.files();
    const outcome = await run(project, world, resetOf());
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.asked[0]?.local).toEqual([
      'this ends cluster scripted: its objects in etcd and all its pods are lost',
    ]);
    expect(remaining(world)).toEqual([]);
    const { '.kbs/scripted/journal': _, ...files } = project.files();
    expect(files).toEqual(before);
  });

  it('goes on without hosts that do not answer, and names them', async () => {
    const { project, world } = await projects.cluster();
    for (const name of ['cp-1', 'w-0']) world.at(name).off = true;
    const outcome = await run(project, world, resetOf());
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.result?.summary.skipped.map(({ host }) => host)).toEqual(['cp-1', 'w-0']);
    expect(remaining(world)).toEqual(['cp-1', 'w-0']);
  });

  it('fails where no host answers', async () => {
    const { project, world } = await projects.cluster();
    for (const name of names(world)) world.at(name).off = true;
    expect(inWords(await run(project, world, resetOf()))).toEqual(
      names(world).map((name) => `unreachable: ${name} does not answer`),
    );
  });

  it('needs no record of pod CIDRs and no API server', async () => {
    const { project, world } = await projects.cluster();
    rmSync(join(project.keyring, '../pod-cidrs.json'));
    world.members.clear();
    expect(inWords(await run(project, world, resetOf()))).toEqual([]);
    expect(remaining(world)).toEqual([]);
  });

  it('without the keyring is refused, until the check is skipped', async () => {
    const { project, world } = await projects.cluster();
    for (const name of names(world)) world.at(name).facts = { ...world.at(name).facts, clusterCa: 'a'.repeat(64) };
    rmSync(project.keyring, { recursive: true });
    const refused = inWords(await run(project, world, resetOf()));
    expect(new Set(refused)).toEqual(
      new Set(['preflight: authority: this host belongs to a cluster whose CA is not in this keyring']),
    );
    const skippedChecks = new Set(['authority']);
    expect(inWords(await run(project, world, resetOf(), { skippedChecks }))).toEqual([]);
    expect(remaining(world)).toEqual([]);
  });

  it('is followed by the same cluster again', async () => {
    const { project, world } = await projects.cluster();
    await run(project, world, resetOf());
    world.objects.clear();
    world.members.clear();
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
    expect(world.nodeReady('w-1')).toBe(true);
  });
});

describe('a reset of named hosts', () => {
  const leave = async (name: string, { world }: { world: ScriptedCluster; project: Project }) => {
    world.objects.delete(`Node/${name}`);
    world.members.delete(name);
  };

  test.each([['w-1'], ['cp-2']])('resets %s, which the cluster does not have', async (name) => {
    const scene = await projects.cluster();
    await leave(name, scene);
    const outcome = await run(scene.project, scene.world, resetOf([name]));
    expect(inWords(outcome)).toEqual([]);
    expect(scene.world.at(name).states.size).toBe(0);
    expect(new Set(scene.world.done.map(({ host }) => host))).toEqual(new Set([name]));
  });

  test.each<[string, readonly string[]]>([
    ['w-1', ['its Node is in the API']],
    ['cp-2', ['its Node is in the API', 'its member is in etcd']],
  ])('refuses %s, which the cluster has', async (name, why) => {
    const { project, world } = await projects.cluster();
    const outcome = await run(project, world, resetOf([name]));
    expect(inWords(outcome)).toEqual([`refused: ${name} is part of the running cluster`]);
    expect(outcome.failures[0]?.why).toEqual(why);
    expect(world.done).toEqual([]);
    expect(inWords(await run(project, world, resetOf([name], { force: true })))).toEqual([]);
    expect(world.at(name).states.size).toBe(0);
  });

  it('cannot tell where no API server answers', async () => {
    const { project, world } = await projects.cluster();
    world.members.clear();
    expect(inWords(await run(project, world, resetOf(['w-1', 'w-0'])))).toEqual([
      'refused: cannot tell whether cluster scripted still has w-0, w-1',
    ]);
    expect(world.done).toEqual([]);
  });

  it('fails where one does not answer, and where a name is unknown', async () => {
    const { project, world } = await projects.cluster();
    world.at('lb-1').off = true;
    expect(inWords(await run(project, world, resetOf(['lb-1'])))).toEqual(['unreachable: lb-1 does not answer']);
    expect(inWords(await run(project, world, resetOf(['lb-9'])))).toEqual([
      expect.stringContaining('the inventory has no host'),
    ]);
  });
});
