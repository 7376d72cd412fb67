import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/engine/compare.js';
import type { PhaseSteps } from '../../src/engine/executable-plan.js';
import { observe } from '../../src/engine/observe.js';
import { hostForUndo, undo, undoNames } from '../../src/engine/undo.js';
import type { Observer, Payload } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { Phase } from '../../src/phases/phase.js';
import type { Resource } from '../../src/resources/resource.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { clusterOf } from '../support/cluster.js';
import { lacks } from '../support/needs.js';
import { contextOf } from '../support/site.js';

const cluster = clusterOf();
const [host] = cluster.hosts;
if (!host) throw new Error('no host');

const phase = (name: string, resources: readonly Resource[], more: Partial<Phase> = {}): Phase => ({
  name,
  ensures: name,
  appliesTo: () => true,
  resources: () => resources,
  ...more,
});

const file = (path: string, content: string): Resource => ({ kind: 'file', path, content, mode: '0644' });

/** Each phase needs what the one before it made: a folder, a program in it, and what that program leaves. */
const phases: readonly Phase[] = [
  phase('ground', [
    { kind: 'directory', path: '/opt/kbs-test', mode: '0750' },
    { kind: 'hosts-entry', address: '192.0.2.11', names: ['cp1'] },
    { kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' },
    file('/etc/theirs.conf', 'ours\n'),
  ]),
  phase(
    'program',
    [
      file('/opt/kbs-test/program', '#!/bin/sh\n'),
      { kind: 'task', name: 'ran once', check: sh`test -e /opt/kbs-test/ran`, run: sh`touch /opt/kbs-test/ran` },
    ],
    {
      cleanup: () => ({
        stop: sh`echo halt >> /run/order; test -e /opt/kbs-test/program; rm /run/lively`,
        remove: sh`echo sweep >> /run/order; test ! -e /opt/kbs-test/program; rm -r /srv/droppings`,
      }),
    },
  ),
  phase('cluster', [{ kind: 'object', name: 'nodes', kubeconfig: '/x', objects: [] }, file('/opt/kbs-test/late', 'x')]),
];

/** What this machine has of its own under /usr/local is long to list, and nothing to these phases. */
const given = `
mount -t tmpfs tmpfs /usr/local; mkdir /usr/local/sbin
rm -rf /run/order; mkdir -p /srv
printf 'theirs\\n' > /etc/theirs.conf; chmod 0600 /etc/theirs.conf
echo 0 > /proc/sys/net/ipv4/ip_forward`;

const shows = `
find /opt /srv /etc /usr/local /var/lib/kbs -printf '%p %y %m %u:%g %l\\n' 2>/dev/null | sort
cat /etc/theirs.conf /etc/hosts /proc/sys/net/ipv4/ip_forward 2>/dev/null || :`;

describe.skipIf(lacks('root'))('undoing on a real shell', () => {
  let world: World;
  let found: string;

  beforeAll(async () => {
    world = await createWorld();
    await world.run(given);
    found = await world.run(shows);
  });
  afterAll(() => world.end());

  const observer = (): Observer => ({
    name: host.name,
    query: async ({ script }) => ({ code: 0, stdout: await world.run(script), stderr: '' }),
  });
  const hostPhases = hostForUndo(host, cluster, phases);
  const look = () => observe([hostPhases], contextOf(cluster), observer, () => {});
  const obey = async (works: readonly PhaseSteps[]) => {
    for (const { changes } of works) {
      const steps = changes.flatMap((planned) => planned.steps);
      const payloads: readonly Payload[] = steps.flatMap((step) => step.payloads);
      await world.run(steps.map(({ script }) => `(\n${script}\n)`).join('\n'), payloads);
    }
  };
  const make = async () => {
    for (const { phases: works } of compare([hostPhases], await look())) await obey(works);
    await world.run('mkdir -p /srv/droppings; touch /run/lively');
  };

  it('leaves everything as it was found, whatever lay there', async () => {
    await make();
    expect(await world.run(shows)).not.toBe(found);
    const works = undo(hostPhases, await look());
    await obey(works);
    expect(await world.run(shows)).toBe(found);
    expect(await world.run('cat /run/order; ls /run/lively 2>&1 || :')).toMatch(/^halt\nsweep\nls: /);
    expect(undoNames(hostPhases.phases)).toEqual(works.map((work) => work.phase.name));
  });

  it('goes on where it was cut off, whatever is gone by then', async () => {
    await make();
    const works = undo(hostPhases, await look());
    await obey(works.slice(0, 2));
    await world.run('rm /etc/theirs.conf; touch /run/lively');
    await obey(undo(hostPhases, await look()));
    expect(await world.run(shows)).toBe(found);
  });

  it('what somebody deleted is created again, and not updated', async () => {
    await make();
    await world.run('rm /etc/theirs.conf');
    const [work] = compare([hostPhases], await look());
    expect(work?.phases.flatMap(({ changes }) => changes.map(({ change }) => change))).toMatchObject([
      { id: '/etc/theirs.conf', action: 'create' },
    ]);
    await obey(undo(hostPhases, await look()));
    expect(await world.run(shows)).toBe(found);
  });

  it('removes what a phase left that does not apply any more, and what its programs left', async () => {
    await make();
    const former = hostForUndo(
      host,
      cluster,
      phases.map((each) => (each.name === 'program' ? { ...each, appliesTo: () => false } : each)),
    );
    const works = undo(former, await observe([former], contextOf(cluster), observer, () => {}));
    expect(works.map((work) => work.phase.name)).toEqual(['stop', 'prune', 'cluster', 'ground', 'clean-up-state']);
    await obey(works);
    expect(await world.run(shows)).toBe(found);
    expect(await world.run('ls /run/lively 2>&1 || :')).toMatch(/^ls: /);
    const never = hostForUndo(host, cluster, [{ ...phase('never', [], phases[1]), appliesTo: () => false }]);
    expect(undo(never, await observe([never], contextOf(cluster), observer, () => {}))).toHaveLength(1);
  });

  it('refuses where a look failed, with everything and its notes still there', async () => {
    await make();
    await world.run(`printf '#!/bin/sh\nexit 1\n' > /usr/local/sbin/stat; chmod +x /usr/local/sbin/stat`);
    const seen = await look();
    await world.run('rm /usr/local/sbin/stat');
    expect(() => undo(hostPhases, seen)).toThrow(/^cannot look at file \/opt\/kbs-test\/late$/);
    await obey(undo(hostPhases, await look()));
    expect(await world.run(shows)).toBe(found);
  });

  it('touches nothing that belongs to the cluster, or that kbs never made', async () => {
    await world.run('mkdir -p /opt/kbs-test; echo mine > /opt/kbs-test/late');
    const works = undo(hostPhases, await look());
    const ids = works.flatMap(({ changes }) => changes.map(({ change }) => `${change.kind} ${change.id}`));
    expect(ids).not.toContain('object nodes');
    expect(ids).not.toContain('file /opt/kbs-test/late');
  });

  it('keeps the copy of what lay where no phase of the host puts anything now', async () => {
    await make();
    await obey(undo({ host, phases: [] }, await look()));
    expect(await world.run('ls -A /var/lib/kbs/before')).toMatch(/^etc-theirs\.conf\.was$/m);
  });
});
