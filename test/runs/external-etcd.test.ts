import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../src/workflows/apply.js';
import { defrag } from '../../src/workflows/defrag.js';
import { remove } from '../../src/workflows/remove.js';
import { reset } from '../../src/workflows/reset.js';
import { restore } from '../../src/workflows/restore.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { endpoints, externalInventory, writeEtcdFiles } from '../support/external-etcd.js';
import { inWords, run, scriptedProjects } from '../support/scripted-project.js';

const folder = mkdtempSync(join(tmpdir(), 'kbs-etcd-files-'));
beforeAll(() => writeEtcdFiles(folder));
afterAll(() => rmSync(folder, { recursive: true }));

const inventory = externalInventory()
  .replace('cluster: outside', 'cluster: scripted\nartifacts: { source: bundle, bundle: ./bundle }')
  .replaceAll(' etcd/', ` ${folder}/`);
const projects = scriptedProjects(inventory);

/** The same cluster with one control plane, which has a member of etcd. */
const stacked = inventory.replace(/ {2}etcd:\n(?: {4}.*\n)+/, '').replace(/ {2}cp-1: .*\n/, '');

const resetOf = () => reset({ names: [], force: false, say: () => {} });

describe('a cluster with an external etcd', () => {
  it('comes up on two control planes, without an etcd of theirs', async () => {
    const { project, world } = await projects.cluster();
    expect(world.nodeReady('cp-1')).toBe(true);
    const made = [...world.machines.values()].flatMap(({ states }) => [...states.keys()]);
    expect(made.filter((name) => /etcd/.test(name) && !/pki/.test(name))).toEqual([
      'binary /usr/local/bin/etcdctl',
      'binary /usr/local/bin/etcdctl',
    ]);
    const again = await run(project, world, phaseRun(apply));
    expect(inWords(again)).toEqual([]);
    expect(again.asked).toEqual([]);
  });

  it('starts no API server before its etcd answers', async () => {
    const { project, world } = await projects.bare();
    world.outside = false;
    expect(inWords(await run(project, world, phaseRun(apply)))).toContainEqual(
      expect.stringContaining('the external etcd answers'),
    );
    expect(world.done.filter(({ id }) => id.includes('kube-apiserver.yaml'))).toEqual([]);
  });

  it('gets no etcd of its own before a reset, and a cluster that has one no external one', async () => {
    const { project, world } = await projects.cluster();
    writeFileSync(project.inventory, stacked);
    expect(inWords(await run(project, world, phaseRun(apply)))).toContainEqual(
      expect.stringContaining(`etcd-change: its API server uses the etcd at ${endpoints.join(', ')}`),
    );
    await run(project, world, resetOf());
    world.objects.clear();
    world.outside = undefined;
    expect(inWords(await run(project, world, phaseRun(apply)))).toEqual([]);
    writeFileSync(project.inventory, inventory);
    expect(inWords(await run(project, world, phaseRun(apply)))).toContainEqual(
      expect.stringContaining(
        'etcd-change: its API server uses its own member of etcd, and the inventory names the one',
      ),
    );
  });

  it('loses a control plane without a word to etcd, and none while the inventory names another etcd', async () => {
    const { project, world } = await projects.cluster();
    const removal = () => remove({ names: ['cp-1'], dead: false, force: false, forget: false, say: () => {} });
    writeFileSync(project.inventory, inventory.replace(endpoints.join(', '), 'https://etcd-02.lan:2379'));
    expect(inWords(await run(project, world, removal()))).toContainEqual(
      expect.stringContaining('etcd-change: its API server uses the etcd at'),
    );
    expect(world.nodeReady('cp-1')).toBe(true);
    writeFileSync(project.inventory, inventory);
    expect(inWords(await run(project, world, removal()))).toEqual([]);
    expect(world.done.filter(({ id }) => id.includes('member'))).toEqual([]);
    expect(world.at('cp-1').states.size).toBe(0);
  });

  it('has nothing that kbs etcd works on', async () => {
    const { project, world } = await projects.cluster();
    for (const workflow of [defrag(() => {}), restore({ file: 'none.db', force: false, now: new Date() })]) {
      expect(inWords(await run(project, world, workflow))).toEqual([
        'refused: the etcd of scripted is external, and kbs only has API servers use it',
      ]);
    }
  });

  it('ends, and leaves the data of its etcd', async () => {
    const { project, world } = await projects.cluster();
    const outcome = await run(project, world, resetOf());
    expect(inWords(outcome)).toEqual([]);
    expect(outcome.asked[0]?.local).toEqual([
      expect.stringContaining(`its objects stay in the external etcd (${endpoints.join(', ')}) under /registry`),
    ]);
    expect([...world.machines.values()].flatMap(({ states }) => [...states.keys()])).toEqual([]);
  });
});
