import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/engine/compare.js';
import type { PhaseSteps } from '../../src/engine/executable-plan.js';
import { observe } from '../../src/engine/observe.js';
import { hostForUndo, undo, undoNames } from '../../src/engine/undo.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import type { Observer, Payload } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { Phase } from '../../src/phases/phase.js';
import type { Resource } from '../../src/resources/resource.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { clusterOf } from '../support/cluster.js';
import { withKnownFacts } from '../support/known-facts.js';
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

/** Each phase needs what the phase before it applied: a directory, a program in it, and what that program leaves. */
const phases: readonly Phase[] = [
  phase('base', [
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

/** /usr/local is empty: what this machine has there is long to list, and these phases do not touch it. */
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
  let facts: string;

  beforeAll(async () => {
    world = await createWorld();
    await world.run(given);
    facts = await world.run(factsScript);
    found = await world.run(shows);
  });
  afterAll(() => world.end());

  const observer = (): Observer => ({
    name: host.name,
    query: async ({ script }) => ({ code: 0, stdout: await world.run(withKnownFacts(script, facts)), stderr: '' }),
  });
  const hostPhases = hostForUndo(host, cluster, phases);
  const observed = () => observe([hostPhases], contextOf(cluster), observer, () => {});
  const run = async (works: readonly PhaseSteps[]) => {
    for (const { changes } of works) {
      const steps = changes.flatMap((planned) => planned.steps);
      const payloads: readonly Payload[] = steps.flatMap((step) => step.payloads);
      await world.run(steps.map(({ script }) => `(\n${script}\n)`).join('\n'), payloads);
    }
  };
  const applyAll = async () => {
    for (const { phases: works } of compare([hostPhases], await observed())) await run(works);
    await world.run('mkdir -p /srv/droppings; touch /run/lively');
  };

  it('leaves the host as kbs found it, with the originals of files that kbs replaced', async () => {
    await applyAll();
    expect(await world.run(shows)).not.toBe(found);
    const works = undo(hostPhases, await observed());
    await run(works);
    expect(await world.run(shows)).toBe(found);
    expect(await world.run('cat /run/order; ls /run/lively 2>&1 || :')).toMatch(/^halt\nsweep\nls: /);
    expect(undoNames(hostPhases.phases)).toEqual(works.map((work) => work.phase.name));
  });

  it('continues after an interruption, also where a file was deleted by hand since', async () => {
    await applyAll();
    const works = undo(hostPhases, await observed());
    await run(works.slice(0, 2));
    await world.run('rm /etc/theirs.conf; touch /run/lively');
    await run(undo(hostPhases, await observed()));
    expect(await world.run(shows)).toBe(found);
  });

  it('a file that was deleted by hand is created again by apply, and its original is restored by undo', async () => {
    await applyAll();
    await world.run('rm /etc/theirs.conf');
    const [work] = compare([hostPhases], await observed());
    expect(work?.phases.flatMap(({ changes }) => changes.map(({ change }) => change))).toMatchObject([
      { id: '/etc/theirs.conf', action: 'create' },
    ]);
    await run(undo(hostPhases, await observed()));
    expect(await world.run(shows)).toBe(found);
  });

  it('removes the leftovers of a phase that no longer applies to the host, and those of its programs', async () => {
    await applyAll();
    const former = hostForUndo(
      host,
      cluster,
      phases.map((each) => (each.name === 'program' ? { ...each, appliesTo: () => false } : each)),
    );
    const works = undo(former, await observe([former], contextOf(cluster), observer, () => {}));
    expect(works.map((work) => work.phase.name)).toEqual(['stop', 'prune', 'cluster', 'base', 'clean-up-state']);
    await run(works);
    expect(await world.run(shows)).toBe(found);
    expect(await world.run('ls /run/lively 2>&1 || :')).toMatch(/^ls: /);
    const never = hostForUndo(host, cluster, [{ ...phase('never', [], phases[1]), appliesTo: () => false }]);
    expect(undo(never, await observe([never], contextOf(cluster), observer, () => {}))).toHaveLength(1);
  });

  it('refuses where a query failed, before it removes anything', async () => {
    await applyAll();
    await world.run(`printf '#!/bin/sh\nexit 1\n' > /usr/local/sbin/stat; chmod +x /usr/local/sbin/stat`);
    const seen = await observed();
    await world.run('rm /usr/local/sbin/stat');
    expect(() => undo(hostPhases, seen)).toThrow(/^cannot query file \/opt\/kbs-test\/late$/);
    await run(undo(hostPhases, await observed()));
    expect(await world.run(shows)).toBe(found);
  });

  it('touches no object of the cluster and no file that kbs did not create', async () => {
    await world.run('mkdir -p /opt/kbs-test; echo mine > /opt/kbs-test/late');
    const works = undo(hostPhases, await observed());
    const ids = works.flatMap(({ changes }) => changes.map(({ change }) => `${change.kind} ${change.id}`));
    expect(ids).not.toContain('object nodes');
    expect(ids).not.toContain('file /opt/kbs-test/late');
  });

  it('keeps an original at whose path no phase of the host puts anything now', async () => {
    await applyAll();
    await run(undo({ host, phases: [] }, await observed()));
    expect(await world.run('ls -A /var/lib/kbs/before')).toMatch(/^etc-theirs\.conf\.was$/m);
  });
});
