import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { init } from '../../src/workflows/init.js';
import { remove } from '../../src/workflows/remove.js';
import { reset } from '../../src/workflows/reset.js';
import { restore } from '../../src/workflows/restore.js';
import type { Workflow } from '../../src/workflows/run/context.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { Done, ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(smallInventory);

interface Setting {
  readonly project: Project;
  readonly world: ScriptedCluster;
  readonly workflow: Workflow;
}

const removal = async (...names: readonly string[]): Promise<Setting> => {
  const { project, world } = await projects.cluster();
  world.pods = names.map((node) => ({ node, pod: web }));
  return { project, world, workflow: remove({ names, dead: false, force: false, forget: false, say: () => {} }) };
};

const web = {
  metadata: { name: 'web', namespace: 'shop', ownerReferences: [{ kind: 'ReplicaSet', controller: true }] },
};

/** All data of etcd are lost, and a snapshot is at hand. */
const restoration = async (): Promise<Setting> => {
  const { project, world } = await projects.cluster();
  for (const machine of world.controlPlanes()) machine.data = false;
  world.members.clear();
  world.started.clear();
  const content = Buffer.alloc(512, 'k');
  const file = join(dirname(project.inventory), 'snapshot.db');
  writeFileSync(file, Buffer.concat([content, createHash('sha256').update(content).digest()]));
  return { project, world, workflow: restore({ file, force: false, now: new Date() }) };
};

/** After each operation of a run that was not killed, and after the last change of every `step`th phase. */
const pointsOf = (done: readonly Done[], step: number): readonly Done[] => {
  const phases = new Map(done.map((each) => [`${each.host} ${each.phase}`, each]));
  return [...phases.values()].filter(({ kind }, index) => kind === 'operation' || index % step === 0);
};

const isSame = (one: Done, other: Done): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What a run leaves: on hosts, in the cluster and on this machine. */
const endOf = ({ project, world }: Setting) => {
  const { '.kbs/scripted/kubeconfig': _, ...files } = project.files();
  return { world: world.snapshot(), files };
};

/** A restore that was killed after its very last operation has nothing left to do, and would lose what was written since. */
const nothingLeft = ['refused: etcd is alive, at revision 1000000100: nothing has to be restored'];

const runs: readonly (readonly [name: string, setting: () => Promise<Setting>, step: number])[] = [
  ['remove of a worker', () => removal('w-0'), 5],
  ['remove of a control plane', () => removal('cp-2'), 6],
  ['remove of the control plane that is asked', () => removal('cp-0'), 12],
  ['remove of a worker and two control planes', () => removal('cp-1', 'cp-2', 'w-0'), 24],
  [
    'reset',
    async () => ({ ...(await projects.cluster()), workflow: reset({ names: [], force: false, say: () => {} }) }),
    12,
  ],
  ['etcd restore', restoration, 4],
  ['init on bare machines', async () => ({ ...(await projects.bare()), workflow: phaseRun(init) }), 12],
];

describe.each(runs)('%s', (_, setting, step) => {
  it('ends as if it had not been killed, after whichever phase or operation it was, once it is run again', async () => {
    const whole = await setting();
    expect(inWords(await run(whole.project, whole.world, whole.workflow))).toEqual([]);
    const points = pointsOf(whole.world.done, step);
    expect(points.length).toBeGreaterThan(2);
    const end = endOf(whole);
    for (const point of points) {
      const { project, world, workflow } = await setting();
      const where = `killed after ${point.phase} of ${point.host}`;
      world.killing = (last) => isSame(last, point);
      expect({ where, killed: (await run(project, world, workflow)).killed }).toEqual({ where, killed: true });
      world.revive();
      const isOver = workflow.name === 'etcd restore' && isSame(point, whole.world.done.at(-1) ?? point);
      const failures = isOver ? nothingLeft : [];
      expect({ where, failures: inWords(await run(project, world, workflow)) }).toEqual({ where, failures });
      expect({ where, ...endOf({ project, world, workflow }) }).toEqual({ where, ...end });
    }
  }, 120_000);
});
