import { describe, expect, it } from 'vitest';
import { apply } from '../../src/workflows/apply.js';
import { remove } from '../../src/workflows/remove.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, run, scriptedProjects } from '../support/scripted-project.js';

const aarch64 = (world: ScriptedCluster, ...names: readonly string[]) => {
  for (const name of names) world.at(name).facts = { arch: 'aarch64' };
};

describe('with a bundle for amd64 and arm64', () => {
  const projects = scriptedProjects(smallInventory, ['amd64', 'arm64']);

  it('hosts of both get their own programs and images, and are done', async () => {
    const { project, world } = await projects.bare();
    aarch64(world, 'cp-1', 'w-0');
    const { result, failures } = await run(project, world, phaseRun(apply));
    expect(failures).toEqual([]);
    const digests = (name: string) => {
      const { states } = world.at(name);
      return [states.get('binary /usr/local/bin/kubelet')?.sha256, states.get('image')?.['kbs.local/pause:1.0']];
    };
    expect(digests('cp-1')).toEqual(digests('w-0'));
    expect(digests('cp-0')).toEqual(digests('cp-2'));
    expect(new Set([...digests('cp-0'), ...digests('w-0')]).size).toBe(4);
    expect(digests('w-0')).not.toContain(undefined);
    expect(result?.plan.hosts.length).toBe(5);
    const again = await run(project, world, phaseRun(apply));
    expect(again.result?.plan.hosts.flatMap(({ phases }) => phases)).toEqual([]);
  });
});

describe('with a bundle for amd64 alone', () => {
  const projects = scriptedProjects(smallInventory);

  it('a host of another architecture is refused before anything changes, with the command that builds for it', async () => {
    const { project, world } = await projects.bare();
    aarch64(world, 'w-0');
    const outcome = await run(project, world, phaseRun(apply));
    expect(inWords(outcome)).toEqual([
      'preflight: architecture: the bundle has nothing for arm64, which `uname -m` calls aarch64',
    ]);
    expect(outcome.failures[0]).toMatchObject({
      where: { host: 'w-0' },
      next: 'make one for all hosts: kbs bundle create --arch amd64,arm64, or kbs bundle build with the same',
    });
    expect(world.done).toEqual([]);
  });

  it('a host that does not answer says nothing about its architecture, and the others go on', async () => {
    const { project, world } = await projects.bare();
    aarch64(world, 'w-0');
    world.at('w-0').cutOff = true;
    const { result, failures } = await run(project, world, phaseRun(apply));
    expect(failures).toEqual([]);
    expect(result?.plan.hosts.find(({ host }) => host === 'w-0')?.skipped?.code).toBe('unreachable');
  });

  it('a removal is refused where a host that stays would need what the bundle lacks', async () => {
    const { project, world } = await projects.cluster();
    aarch64(world, 'lb-0');
    const leave = remove({ names: ['cp-2'], dead: false, force: false, forget: false, say: () => {} });
    const outcome = await run(project, world, leave);
    expect(inWords(outcome)).toEqual([
      'preflight: architecture: the bundle has nothing for arm64, which `uname -m` calls aarch64',
    ]);
    expect(world.done).toEqual([]);
  });
});
