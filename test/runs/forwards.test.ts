import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { apply } from '../../src/workflows/apply.js';
import { join } from '../../src/workflows/join.js';
import { resolveJoinTargets } from '../../src/workflows/join-targets.js';
import { remove } from '../../src/workflows/remove.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { ScriptedCluster } from '../support/scripted-cluster.js';
import { scriptedInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const forwarding = (forward: string, records = '{ grafana: VIP }'): string =>
  scriptedInventory
    .replace('hosts:\n', `loadBalancer: { forward: [${forward}] }\nhosts:\n`)
    .replace('upstreams: [192.168.40.1] }', `upstreams: [192.168.40.1], records: ${records} }`);

const web = '{ port: 443, to: workers, targetPort: 30443, proxyProtocol: true }';
const projects = scriptedProjects(forwarding(web));

/** `kind id` of the changes of a host, without those of phases that have nothing to do with forwards. */
const changesOn = (plan: Plan | undefined, name: string): readonly string[] =>
  (plan?.hosts.find(({ host }) => host === name)?.phases ?? [])
    .filter(({ phase }) => phase !== 'routes' && phase !== 'resolver' && phase !== 'prepare')
    .flatMap(({ changes }) => changes.map(({ kind, id }) => `${kind} ${id}`));

const changed = (plan: Plan | undefined): readonly string[] =>
  (plan?.hosts ?? []).filter(({ phases }) => phases.length > 0).map(({ host }) => host);

const reload = ['file /etc/haproxy/haproxy.cfg', 'task haproxy runs with its settings'];
const zone = 'zone /etc/coredns/zones/scripted.internal';

const settings = (world: ScriptedCluster, name: string): string =>
  world.at(name).states.get('file /etc/haproxy/haproxy.cfg')?.content ?? '';

const applied = async (project: Project, world: ScriptedCluster, text: string) => {
  writeFileSync(project.inventory, text);
  const { result, ...outcome } = await run(project, world, phaseRun(apply));
  expect(inWords({ ...outcome })).toEqual([]);
  return result?.plan;
};

describe('forwarded ports and records', () => {
  it('are changed by one reload of each load balancer and a zone, and then there is nothing to change', async () => {
    const { project, world } = await projects.cluster();
    const more = forwarding(`${web}, { port: 80, to: [w-0], targetPort: 30080 }`, '{ grafana: VIP, "*.apps": VIP }');
    const plan = await applied(project, world, more);
    expect(changed(plan)).toEqual(['lb-0', 'lb-1']);
    for (const name of ['lb-0', 'lb-1']) {
      expect(changesOn(plan, name)).toEqual([zone, ...reload]);
      expect(settings(world, name)).toContain('server w-0 192.168.40.74:30080');
    }
    expect(changed(await applied(project, world, more))).toEqual([]);
  });

  it('are taken away with their last line', async () => {
    const { project, world } = await projects.cluster();
    expect(changesOn(await applied(project, world, scriptedInventory), 'lb-0')).toEqual([zone, ...reload]);
    expect(settings(world, 'lb-0')).not.toContain('forward');
  });

  it('are taken over by the next run where one was killed before the reload', async () => {
    const { project, world } = await projects.cluster();
    const changed = forwarding(web.replace('443,', '8443,'));
    writeFileSync(project.inventory, changed);
    world.killing = ({ host, id }) => host === 'lb-0' && id === '/etc/haproxy/haproxy.cfg';
    expect((await run(project, world, phaseRun(apply))).killed).toBe(true);
    world.revive();
    expect(changesOn(await applied(project, world, changed), 'lb-0')).toEqual([reload[1]]);
  });
});

describe('a worker that is a target', () => {
  it('is added on the load balancers when it joins', async () => {
    const { project, world: others } = await projects.cluster();
    const { loaded, joining } = await resolveJoinTargets(project.inventory, ['w-2=root@192.168.40.22'], undefined);
    const world = new ScriptedCluster(loaded.cluster);
    world.copy(others);
    const { result, ...outcome } = await run(project, world, phaseRun(join, { joining }), { loaded });
    expect(inWords({ ...outcome })).toEqual([]);
    expect(changesOn(result?.plan, 'lb-1')).toEqual(expect.arrayContaining([...reload]));
    expect(settings(world, 'lb-1')).toContain('server w-2 192.168.40.22:30443');
  });

  it('is taken out there before its pods move', async () => {
    const { project, world } = await projects.cluster();
    world.pods = [
      { node: 'w-1', pod: { metadata: { name: 'web', namespace: 'shop', ownerReferences: [replicaSet] } } },
    ];
    const leaving = remove({ names: ['w-1'], dead: false, force: false, forget: false, say: () => {} });
    expect(inWords(await run(project, world, leaving))).toEqual([]);
    const order = world.done.map(({ host, phase }) => `${host} ${phase}`);
    expect(order.lastIndexOf('lb-1 load-balancer')).toBeGreaterThanOrEqual(0);
    expect(order.lastIndexOf('lb-1 load-balancer')).toBeLessThan(order.indexOf('w-1 drain'));
    expect(settings(world, 'lb-0')).not.toContain('server w-1 ');
  });
});

const replicaSet = { kind: 'ReplicaSet', controller: true };
