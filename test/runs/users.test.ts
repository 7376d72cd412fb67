import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kubeconfigOf } from '../../src/pki/kubeconfig.js';
import { type GrantOptions, grantAccess, type Issued, revokeAccess } from '../../src/workflows/users.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, refuse, run, scriptedProjects } from '../support/scripted-project.js';

const projects = scriptedProjects(smallInventory);

const granting = (options: Partial<GrantOptions> = {}) => {
  const issued: Issued[] = [];
  const workflow = grantAccess({
    name: 'anna',
    seconds: 3600,
    clusterName: 'scripted',
    local: [],
    check: async () => undefined,
    onDone: (done) => issued.push(done),
    ...options,
  });
  return { workflow, issued };
};

const give = async (project: Project, world: ScriptedCluster, options: Partial<GrantOptions> = {}) => {
  const { workflow, issued } = granting(options);
  return { ...(await run(project, world, workflow)), issued };
};

/** The labelled objects, by kind, namespace and name. */
const madeFor = (world: ScriptedCluster): readonly string[] =>
  [...world.objects].flatMap(([key, { metadata }]) =>
    JSON.stringify(metadata.labels ?? {}).includes('kbs.dev/user') ? [key] : [],
  );

describe('a grant', () => {
  it('makes the objects, then a token, and gives both as a kubeconfig of the cluster', async () => {
    const { project, world } = await projects.cluster();
    const outcome = await give(project, world, { role: 'edit', namespaces: ['shop'], groups: ['developers'] });
    expect(inWords(outcome)).toEqual([]);
    expect(madeFor(world)).toContain('RoleBinding/shop/kbs:user:anna:edit');
    const [{ entries } = { entries: undefined }] = outcome.issued;
    expect(entries).toMatchObject({
      cluster: { name: 'scripted' },
      user: {
        name: 'anna@scripted',
        user: {
          token: 'token-of-anna',
          as: 'system:serviceaccount:kbs-users:anna',
          'as-groups': ['developers'],
        },
      },
      context: { name: 'anna@scripted', context: { namespace: 'shop' } },
    });
  });

  it('changes nothing before the answer, nor in a dry run, and has no secret in plan and events', async () => {
    const { project, world } = await projects.cluster();
    const before = [world.snapshot(), project.files()];
    const dry = await run(project, world, granting().workflow, { dryRun: true });
    const { workflow, issued } = granting();
    const no = await run(project, world, workflow, { answer: refuse });
    expect([world.snapshot(), project.files(), issued]).toEqual([...before, []]);
    expect(dry.result?.plan).toMatchObject({ hosts: [{ phases: [{ phase: 'grant' }] }] });
    expect(inWords(no)).toEqual(['refused: the answer was no']);
    const yes = await give(project, world);
    expect(yes.issued).toHaveLength(1);
    expect(JSON.stringify([yes.asked, yes.events, yes.said, yes.result])).not.toContain('token-of');
  });

  it('needs neither a keyring nor a bundle', async () => {
    const { project, world } = await projects.cluster();
    const folder = dirname(project.inventory);
    rmSync(join(folder, 'bundle'), { recursive: true });
    rmSync(project.keyring, { recursive: true });
    const { issued } = await give(project, world);
    const text = issued.map(({ entries }) => kubeconfigOf(entries).reveal()).join('');
    expect(text).toContain('token-of-anna');
    const data = /certificate-authority-data: "(.*)"/.exec(text)?.[1] ?? '';
    expect(Buffer.from(data, 'base64').toString()).toContain('BEGIN CERTIFICATE');
  });

  it.each<[string, Partial<GrantOptions>, readonly string[]]>([
    [
      'to a namespace that is not there',
      { namespaces: ['shop', 'web'] },
      ['refused: the cluster has no namespace web'],
    ],
    ['that its kubeconfig could not be merged', { check: async () => refuse() }, ['refused: the answer was no']],
  ])('is refused before the question: %s', async (_, options, words) => {
    const { project, world } = await projects.cluster();
    const outcome = await give(project, world, options);
    expect([inWords(outcome), outcome.asked, world.done]).toEqual([words, [], []]);
  });

  it('is refused on hosts of another cluster', async () => {
    const { project, world } = await projects.cluster();
    const other = world.at('cp-1').states.get('file /etc/kubernetes/pki/etcd/ca.crt') ?? {};
    world.at('cp-0').states.set('file /etc/kubernetes/pki/ca.crt', other);
    expect(inWords(await give(project, world))).toEqual([
      'refused: cp-0 belongs to a cluster whose CA is not in this keyring',
    ]);
  });

  it('that was interrupted before the token is finished by the same command', async () => {
    const { project, world } = await projects.cluster();
    world.killing = () => true;
    expect((await give(project, world)).killed).toBe(true);
    world.revive();
    const again = await give(project, world);
    expect([inWords(again), again.issued.length]).toEqual([[], 1]);
  });

  it('tells where no API server answers that it cannot tell', async () => {
    const { project, world } = await projects.cluster();
    for (const machine of world.controlPlanes()) machine.data = false;
    expect(inWords(await give(project, world))).toEqual([
      'unreachable: cannot tell who has access: no API server answers',
    ]);
  });
});

describe('a removal', () => {
  it('takes everything away that was given, and nothing of another user', async () => {
    const { project, world } = await projects.cluster();
    await give(project, world, { name: 'ben' });
    const before = madeFor(world);
    await give(project, world, { namespaces: ['shop'], groups: ['developers'] });
    expect(madeFor(world).length).toBeGreaterThan(before.length + 4);
    const outcome = await run(project, world, revokeAccess('anna'));
    expect(inWords(outcome)).toEqual([]);
    expect(madeFor(world)).toEqual(before);
    expect(outcome.asked[0]?.plan.warnings?.[0]?.what).toContain('what is open stays open');
  });

  it('of a user that is not there names those that are', async () => {
    const { project, world } = await projects.cluster();
    await give(project, world);
    const outcome = await run(project, world, revokeAccess('anne'));
    expect(outcome.failures[0]).toMatchObject({
      message: 'the cluster has no user anne',
      next: 'did you mean anna? it has anna',
    });
  });
});
