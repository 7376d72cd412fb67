import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Change, Plan } from '../../src/engine/plan.js';
import type { Machine } from '../../src/hosts/facts/machine.js';
import type { KubeObject } from '../../src/resources/resource.js';
import { apply } from '../../src/workflows/apply.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { scriptedInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(scriptedInventory);
const bare = 'w-1: { address: 192.168.50.20, roles: [worker] }';
const marked =
  'w-1: { address: 192.168.50.20, roles: [worker], labels: { tier: rack, disk: ssd }, taints: ["gpu=present:NoSchedule", "a:NoExecute"] }';
const changed =
  'w-1: { address: 192.168.50.20, roles: [worker], labels: { tier: office }, taints: ["gpu=absent:NoSchedule"] }';

/** Applies the inventory with this line for w-1; the lines of the plan that say what of its Node changes. */
const applied = async (project: Project, world: ScriptedCluster, line: string): Promise<readonly string[]> => {
  writeFileSync(project.inventory, scriptedInventory.replace(bare, line));
  const { result, ...outcome } = await run(project, world, phaseRun(apply));
  expect(inWords({ ...outcome })).toEqual([]);
  return result === undefined ? [] : linesOf(result.plan);
};

const linesOf = ({ hosts }: Plan): readonly string[] =>
  hosts
    .flatMap(({ phases }) => phases.flatMap(({ changes }): readonly Change[] => changes))
    .flatMap(({ differences }) => differences)
    .filter(({ aspect }) => aspect === 'Node/w-1')
    .flatMap(({ is = '', wanted = '' }) => [
      ...without(is, wanted).map((line) => `- ${line}`),
      ...without(wanted, is).map((line) => `+ ${line}`),
    ])
    .filter((line) => !line.includes('digest'));

const without = (text: string, other: string): readonly string[] => {
  const lines = other.split('\n').map((line) => line.trim());
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !lines.includes(line));
};

const nodeOf = (world: ScriptedCluster) => world.objects.get('Node/w-1') as KubeObject & Live;

interface Live {
  readonly metadata: { readonly name: string; labels: Record<string, string>; annotations: Record<string, string> };
  readonly spec: { taints?: { key: string; value?: string; effect: string }[] };
}

const taintsOf = (world: ScriptedCluster): readonly string[] =>
  (nodeOf(world).spec.taints ?? []).map(({ key, value = '', effect }) => `${key}=${value}:${effect}`);

describe('labels and taints of a node that lives', () => {
  it('are added, changed and taken away as the inventory says, and the plan names each', async () => {
    const { project, world } = await projects.cluster();
    const before = nodeOf(world);
    expect(await applied(project, world, marked)).toEqual([
      '+ tier: rack',
      '+ disk: ssd',
      '+ kbs.dev/taints: gpu=present:NoSchedule a:NoExecute',
      '+ taints:',
      '+ - key: gpu',
      '+ value: present',
      '+ effect: NoSchedule',
      '+ - key: a',
      '+ value: ""',
      '+ effect: NoExecute',
    ]);
    expect(nodeOf(world).metadata.labels).toMatchObject({ tier: 'rack', disk: 'ssd' });
    expect(taintsOf(world)).toEqual(['gpu=present:NoSchedule', 'a=:NoExecute']);
    expect(await applied(project, world, changed)).toEqual([
      '- tier: rack',
      '- disk: ssd',
      '- kbs.dev/taints: gpu=present:NoSchedule a:NoExecute',
      '- value: present',
      '- - key: a',
      '- effect: NoExecute',
      '+ tier: office',
      '+ kbs.dev/taints: gpu=absent:NoSchedule',
      '+ value: absent',
    ]);
    expect(taintsOf(world)).toEqual(['gpu=absent:NoSchedule']);
    expect(await applied(project, world, bare)).not.toEqual([]);
    expect(nodeOf(world).metadata.labels).toEqual(before.metadata.labels);
    expect(taintsOf(world)).toEqual([]);
    expect(await applied(project, world, bare)).toEqual([]);
  });

  it('stay where others set them, and no plan names them', async () => {
    const { project, world } = await projects.cluster();
    await applied(project, world, marked);
    const { metadata, spec } = nodeOf(world);
    metadata.labels.theirs = 'yes';
    spec.taints = [...(spec.taints ?? []), { key: 'theirs', effect: 'NoSchedule' }];
    expect(await applied(project, world, marked)).toEqual([]);
    await applied(project, world, bare);
    expect(nodeOf(world).metadata.labels).toMatchObject({ theirs: 'yes' });
    expect(nodeOf(world).metadata.labels).not.toHaveProperty('tier');
    expect(taintsOf(world)).toEqual(['theirs=:NoSchedule']);
  });

  it('are put back where they were changed by hand', async () => {
    const { project, world } = await projects.cluster();
    await applied(project, world, marked);
    const { metadata, spec } = nodeOf(world);
    metadata.labels.tier = 'other';
    spec.taints = [];
    expect(await applied(project, world, marked)).toEqual(expect.arrayContaining(['- tier: other', '+ tier: rack']));
    expect(taintsOf(world)).toEqual(['gpu=present:NoSchedule', 'a=:NoExecute']);
  });
});

it('nodes carry their roles as labels', async () => {
  const { world } = await projects.cluster();
  const roles = [...world.objects.values()]
    .filter(({ kind }) => kind === 'Node')
    .map(({ metadata }) => [
      metadata.name,
      Object.keys(metadata.labels as object).filter((key) => key.startsWith('node-role.kubernetes.io/')),
    ]);
  expect(Object.fromEntries(roles)).toMatchObject({
    'cp-0': ['node-role.kubernetes.io/control-plane'],
    'w-0': ['node-role.kubernetes.io/worker'],
  });
});

describe('what sort of machine a node is', () => {
  const guest: Machine = {
    kind: 'virtual',
    platform: 'kvm',
    steal: 0.5,
    clockSources: [],
    balloon: false,
    nested: false,
    macs: [],
    sshHostKeys: [],
  };
  const machineOf = (world: ScriptedCluster, name: string) =>
    (world.objects.get(`Node/${name}`) as Live | undefined)?.metadata.labels['kbs.dev/machine'];

  it('is its label, which stays where a later run does not ask the host', async () => {
    const { project, world } = await projects.cluster();
    expect(machineOf(world, 'w-1')).toBeUndefined();
    world.at('w-1').facts = { machine: guest };
    world.at('w-0').facts = { machine: { ...guest, kind: 'physical' } };
    await applied(project, world, bare);
    expect([machineOf(world, 'w-0'), machineOf(world, 'w-1')]).toEqual(['physical', 'virtual']);
    world.at('w-1').facts = {};
    await applied(project, world, marked);
    expect(nodeOf(world).metadata.labels).toMatchObject({ tier: 'rack', 'kbs.dev/machine': 'virtual' });
  });

  it('is warned of in the plan where its hypervisor is busy, and changes nothing', async () => {
    const { project, world } = await projects.cluster();
    world.at('w-1').facts = { machine: guest };
    await applied(project, world, bare);
    const { result, ...outcome } = await run(project, world, phaseRun(apply));
    expect(inWords(outcome)).toEqual([]);
    expect(result?.plan.hosts.flatMap(({ phases }) => phases)).toEqual([]);
    expect(result?.plan.warnings).toMatchObject([
      { hosts: ['w-1'], what: 'steal: since it booted, its hypervisor has given 50 % of its CPU time to others' },
    ]);
  });
});
