import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../src/engine/apply.js';
import { compare, toPlan } from '../../src/engine/compare.js';
import type { EventData } from '../../src/engine/event.js';
import { leftoversOf } from '../../src/engine/leftovers.js';
import { type HostPhases, observe } from '../../src/engine/observe.js';
import { changesOf, type Plan } from '../../src/engine/plan.js';
import { hostForUndo, undo, undoNotes } from '../../src/engine/undo.js';
import { Failure } from '../../src/failure.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import type { Host } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { Phase } from '../../src/phases/phase.js';
import { printObjectSets } from '../../src/resources/object-sets.js';
import { recordPath } from '../../src/resources/original.js';
import { recordOf } from '../../src/resources/record.js';
import type { Resource } from '../../src/resources/resource.js';
import { Secret } from '../../src/secret.js';
import { phase } from '../engine/engine-harness.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { clusterOf } from '../support/cluster.js';
import { withKnownFacts } from '../support/known-facts.js';
import { lacks } from '../support/needs.js';
import { contextOf } from '../support/site.js';

const cluster = clusterOf();
const [host] = cluster.hosts;
if (!host) throw new Error('no host');

const file = (path: string, content = 'ours\n'): Resource => ({ kind: 'file', path, content, mode: '0644' });
const rest: Phase = phase('prune', [], { prunes: { of: 'rest' } });

/** The phases of kbs as they are in one version of its code; `prune` comes last. */
const code = (...phases: readonly Phase[]): HostPhases => ({ host, phases: [...phases, rest], all: [...phases, rest] });

const removed = (plan: Plan): readonly string[] =>
  plan.hosts.flatMap((each) =>
    each.phases.flatMap(({ phase: name, changes }) =>
      changes.map(({ action, kind, id }) => `${name}: ${action} ${kind} ${id}`),
    ),
  );

describe.skipIf(lacks('root'))('pruning on a real shell', () => {
  let world: World;
  let facts: string;
  const lookForFacts = async () => {
    facts = await world.run(factsScript);
  };
  beforeAll(async () => {
    world = await createWorld();
    await world.run('mkdir -p /etc/kbs-test /var/lib/kbs; rmdir /var/lib/kbs; echo mine > /etc/kbs-test/beside');
    await lookForFacts();
  });
  afterAll(() => world.end());
  afterEach(async () => {
    await run(code());
    await world.run('rm -f /var/lib/kbs/resources; rmdir /var/lib/kbs 2>/dev/null || :');
    expect(await world.run('ls -A /etc/kbs-test; ls -A /var/lib/kbs 2>/dev/null || :')).toBe('beside\n');
  });

  const open = (): Host => {
    const shell: Host['mutate'] = async ({ script, payloads }, options) => {
      const stdout = await world.run(script, payloads);
      for (const line of stdout.split('\n')) options?.onLine?.(line);
      return { code: 0, stdout, stderr: '' };
    };
    return {
      name: host.name,
      mutate: shell,
      query: ({ script }) => shell({ effect: 'mutation', script: withKnownFacts(script, facts), payloads: [] }),
    };
  };
  const observed = (phases: HostPhases) => observe([phases], contextOf(cluster), open, () => {});
  const planned = async (phases: HostPhases) =>
    toPlan('apply', cluster.name, compare([phases], await observed(phases)));
  const run = async (phases: HostPhases) => {
    const seen = await observed(phases);
    const work = compare([phases], seen);
    const events: EventData[] = [];
    const outcome = await apply(work, {
      context: seen.context,
      open,
      emit: (event) => events.push(event),
      signal: new AbortController().signal,
    });
    for (const failure of outcome.values()) if (failure) throw failure;
    return { plan: toPlan('apply', cluster.name, work), events };
  };
  const records = async () =>
    (await world.run('cat /var/lib/kbs/resources 2>/dev/null || :'))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const there = (path: string) => world.run(`cat ${path} 2>/dev/null || echo nothing`);

  it('a resource that the code no longer has is one removal in the plan and is gone after apply; a file beside it stays', async () => {
    await run(code(phase('settings', [file('/etc/kbs-test/kept'), file('/etc/kbs-test/gone')])));
    const later = code(phase('settings', [file('/etc/kbs-test/kept')]));
    const { plan, events } = await run(later);
    expect(removed(plan)).toEqual(['prune: remove file /etc/kbs-test/gone']);
    expect(events).toContainEqual({
      ...{ type: 'change', host: host.name, phase: 'prune', state: 'done' },
      change: { kind: 'file', id: '/etc/kbs-test/gone', action: 'remove' },
    });
    expect(await world.run('ls /etc/kbs-test; cat /etc/kbs-test/beside')).toBe('beside\nkept\nmine\n');
    expect(await records()).toMatchObject([{ kind: 'file', id: '/etc/kbs-test/kept', phase: 'settings' }]);
    expect(changesOf(await planned(later))).toEqual([]);
  });

  it('restores what kbs replaced, and keeps a directory that holds other files', async () => {
    await world.run('echo theirs > /etc/kbs-test/theirs; chmod 0640 /etc/kbs-test/theirs');
    await run(
      code(
        phase('settings', [
          file('/etc/kbs-test/theirs'),
          { kind: 'directory', path: '/etc/kbs-test/own', mode: '0700' },
          { kind: 'directory', path: '/etc/kbs-test/used', mode: '0700' },
        ]),
      ),
    );
    await world.run('echo mine > /etc/kbs-test/used/mine');
    await run(code());
    expect(await world.run('cd /etc/kbs-test; stat -c %a theirs; cat theirs; ls; ls used')).toBe(
      '640\ntheirs\nbeside\ntheirs\nused\nmine\n',
    );
    expect(changesOf(await planned(code()))).toEqual([]);
    await world.run('rm -r /etc/kbs-test/theirs /etc/kbs-test/used');
  });

  it('drops the record of a file that was deleted by hand, and keeps a file that is put there afterwards', async () => {
    await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    await world.run('rm /etc/kbs-test/gone');
    const { plan, events } = await run(code());
    expect(removed(plan)).toEqual([]);
    expect(events.filter(({ type }) => type === 'change')).toEqual([]);
    expect(await records()).toEqual([]);
    await world.run('echo mine > /etc/kbs-test/gone');
    expect(removed((await run(code())).plan)).toEqual([]);
    expect(await there('/etc/kbs-test/gone')).toBe('mine\n');
    await world.run('rm /etc/kbs-test/gone');
  });

  it('touches nothing that a person puts where nothing was, between the plan and its steps', async () => {
    const program: Resource = {
      ...{ kind: 'binary', path: '/etc/kbs-test/program', links: ['/etc/kbs-test/link'] },
      content: { name: '', sha256: '', size: 0, file: '', packedSize: 0, packing: 'none' },
    };
    const paths = ['/etc/kbs-test/own/gone', '/etc/kbs-test/folder', '/etc/kbs-test/program'];
    await run(
      code(
        phase('settings', [
          file('/etc/kbs-test/own/gone'),
          { kind: 'directory', path: '/etc/kbs-test/folder', mode: '0700' },
        ]),
      ),
    );
    const record = recordOf({ cluster: cluster.name, phase: 'settings' }, program) ?? '';
    await world.run(`echo '${record}' >> /var/lib/kbs/resources
touch '${recordPath('/etc/kbs-test/program')}.none' '${recordPath('/etc/kbs-test/link')}.none'
rm -r /etc/kbs-test/own /etc/kbs-test/folder`);
    const work = compare([code()], await observed(code()));
    expect(removed(toPlan('apply', cluster.name, work))).toEqual([]);
    await world.run(
      `mkdir /etc/kbs-test/own; for each in ${paths.join(' ')} /etc/kbs-test/link; do echo mine > $each; done`,
    );
    for (const { changes } of work.flatMap((each) => each.phases)) {
      for (const { script, payloads } of changes.flatMap(({ steps }) => steps)) await world.run(script, payloads);
    }
    expect(await world.run(`cat ${paths.join(' ')} /etc/kbs-test/link`)).toBe('mine\nmine\nmine\nmine\n');
    expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
    await world.run(`rm -r /etc/kbs-test/own ${paths.join(' ')} /etc/kbs-test/link 2>/dev/null || :`);
  });

  it('a program that a person deleted and whose other names are left is a removal in the plan', async () => {
    const program: Resource = {
      ...{ kind: 'binary', path: '/etc/kbs-test/program', links: ['/etc/kbs-test/link'] },
      content: { name: '', sha256: '', size: 0, file: '', packedSize: 0, packing: 'none' },
    };
    const record = recordOf({ cluster: cluster.name, phase: 'settings' }, program) ?? '';
    await world.run(`mkdir -p /var/lib/kbs/before; echo '${record}' >> /var/lib/kbs/resources
touch '${recordPath('/etc/kbs-test/program')}.none' '${recordPath('/etc/kbs-test/link')}.none'
ln -s /etc/kbs-test/program /etc/kbs-test/link`);
    expect(removed((await run(code())).plan)).toEqual(['prune: remove binary /etc/kbs-test/program']);
    expect(await world.run('ls /etc/kbs-test')).toBe('beside\n');
  });

  it('keeps a record that it does not understand, and the plan says so', async () => {
    const newer = `{"kind":"hologram","id":"it's new","phase":"later","cluster":"${cluster.name}","depth":3}`;
    await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    await world.run(`cat >> /var/lib/kbs/resources <<'END'\n${newer}\nEND`);
    const { plan } = await run(code());
    expect(plan.hosts[0]?.notes).toEqual([
      "hologram it's new stays: this version of kbs does not know what its record says",
    ]);
    expect(removed(plan)).toEqual(['prune: remove file /etc/kbs-test/gone']);
    expect(await world.run('cat /var/lib/kbs/resources')).toBe(`${newer}\n`);
    const undone = hostForUndo(host, cluster, []);
    const seen = await observed(undone);
    expect(() => undo(undone, seen)).toThrow("this version of kbs does not know how to remove hologram it's new");
  });

  it('names damaged lines of the file, and takes them away with the rest when the host leaves', async () => {
    const damaged = [
      'not json',
      '{"kind":"file","id":"/etc/pas',
      '[]',
      `{"kind":"file","id":"/a","cluster":"${cluster.name}"}`,
    ];
    await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    await world.run(`cat >> /var/lib/kbs/resources <<'END'\n${damaged.join('\n')}\nEND`);
    const notes = damaged.map((_, index) => `line ${index + 2} of /var/lib/kbs/resources is damaged: delete that line`);
    const { plan } = await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    expect(plan.hosts[0]?.notes).toEqual(notes);
    expect(changesOf(plan)).toEqual([]);
    const undone = hostForUndo(host, cluster, []);
    const seen = await observed(undone);
    expect(undoNotes(undone, seen)).toEqual(
      notes.map((note) => note.replace('delete that line', 'what it named may stay')),
    );
    for (const { changes } of undo(undone, seen)) {
      for (const { script, payloads } of changes.flatMap(({ steps }) => steps)) await world.run(script, payloads);
    }
    expect(await world.run('ls -A /etc/kbs-test /var/lib/kbs 2>/dev/null || :')).toBe('/etc/kbs-test:\nbeside\n');
  });

  it('keeps a file that has moved to another phase, and one that has become a resource of another kind', async () => {
    const zone: Resource = { kind: 'zone', path: '/etc/kbs-test/zone', content: 'x\n', serial: 1, mode: '0644' };
    await run(code(phase('one', [file('/etc/kbs-test/moved'), file('/etc/kbs-test/zone', 'x\n')])));
    const later = code(phase('other', [file('/etc/kbs-test/moved'), zone]));
    expect(changesOf((await run(later)).plan)).toEqual([]);
    expect(await there('/etc/kbs-test/moved')).toBe('ours\n');
    expect(await there('/etc/kbs-test/zone')).toBe('x\n');
  });

  it('keeps the resources and records of another cluster on a host that both share', async () => {
    await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    await world.run(`sed -i 's/"cluster":"${cluster.name}"/"cluster":"other"/' /var/lib/kbs/resources`);
    const { plan } = await run(code());
    expect(plan.hosts[0]).toEqual({
      host: host.name,
      phases: [],
      notes: [
        'records of cluster other are here: kbs takes over what this cluster wants too and leaves the rest; two clusters cannot share a host',
      ],
    });
    expect(await there('/etc/kbs-test/gone')).toBe('ours\n');
    const undone = hostForUndo(host, cluster, []);
    const seen = await observed(undone);
    expect(undoNotes(undone, seen)).toEqual(['records of cluster other stay, with what they name']);
    for (const { changes } of undo(undone, seen)) {
      for (const { script, payloads } of changes.flatMap(({ steps }) => steps)) await world.run(script, payloads);
    }
    expect(await there('/etc/kbs-test/gone')).toBe('ours\n');
    expect(await world.run('ls -A /var/lib/kbs/before')).toMatch(/gone\.none$/m);
    await world.run(`sed -i 's/"cluster":"other"/"cluster":"${cluster.name}"/' /var/lib/kbs/resources`);
  });

  it('keeps what a phase outside of this run desires or prunes', async () => {
    const settings = phase('settings', [file('/etc/kbs-test/gone')]);
    const { all = [] } = code(settings);
    await run(code(settings));
    expect(removed(await planned({ host, phases: [rest], all }))).toEqual([]);
    const pruner = phase('pruner', [], { prunes: { of: ['settings'], first: true } });
    expect(removed(await planned({ host, phases: [rest], all: [pruner, rest] }))).toEqual([]);
    expect(removed(await planned({ host, phases: [rest] }))).toEqual([]);
    const waiting = phase('waiting', []);
    expect(removed(await planned({ host, phases: [rest], all: [waiting, rest] }))).toEqual([]);
    expect(removed(await planned({ host, phases: [pruner, rest], all: [pruner, rest] }))).toEqual([
      'pruner: remove file /etc/kbs-test/gone',
    ]);
  });

  it('removes in reverse order of creation: before the changes of a phase with `first`, after those of others', async () => {
    const made = phase(
      'a',
      ['one', 'two', 'three'].map((name) => file(`/etc/kbs-test/${name}`)),
    );
    const replaced = phase('b', [file('/etc/kbs-test/old')]);
    await run(code(made, replaced));
    const { plan } = await run(
      code(
        phase('a', [file('/etc/kbs-test/two'), file('/etc/kbs-test/four')]),
        phase('b', [file('/etc/kbs-test/new')], { prunes: { of: ['b'], first: true } }),
      ),
    );
    expect(removed(plan)).toEqual([
      'a: create file /etc/kbs-test/four',
      'b: remove file /etc/kbs-test/old',
      'b: create file /etc/kbs-test/new',
      'prune: remove file /etc/kbs-test/three',
      'prune: remove file /etc/kbs-test/one',
    ]);
  });

  it('records only what it created or changed, and no content', async () => {
    await world.run('echo ours > /etc/kbs-test/same; chmod 0644 /etc/kbs-test/same');
    const hush = 'PRIVATE-KEY-TEXT';
    const settings = phase('settings', [
      file('/etc/kbs-test/same'),
      { kind: 'file', path: '/etc/kbs-test/key', content: new Secret(hush), mode: '0600' },
      {
        kind: 'task',
        name: 'secret',
        check: sh`[ -e /run/secret ]`,
        run: sh`cat > /run/secret`,
        input: new Secret(hush),
        undo: sh`rm /run/secret`,
      },
      { kind: 'task', name: 'without undo', check: sh`[ -e /run/ever ]`, run: sh`touch /run/ever` },
    ]);
    await run(code(settings));
    expect((await records()).map(({ id }) => id)).toEqual(['/etc/kbs-test/key', 'secret']);
    expect(await world.run('stat -c %a:%U /var/lib/kbs/resources; cat /var/lib/kbs/resources')).toMatch(/^600:root\n/);
    const { plan } = await run(code());
    expect(removed(plan)).toEqual(['prune: remove task secret', 'prune: remove file /etc/kbs-test/key']);
    expect(JSON.stringify(plan)).not.toContain(hush);
    expect(await world.run('ls /run/secret /etc/kbs-test/key 2>/dev/null || :; cat /etc/kbs-test/same')).toBe('ours\n');
    await world.run('rm /etc/kbs-test/same');
  });

  it('records what a version of kbs without records created, and keeps the place of a record that changes', async () => {
    const link = (to: string): Resource => ({ kind: 'route', to: '127.9.0.0/24', via: to });
    const settings = phase('settings', [file('/etc/kbs-test/one'), file('/etc/kbs-test/two')]);
    await run(code(settings));
    await world.run('rm /var/lib/kbs/resources');
    expect(changesOf((await run(code(settings))).plan)).toEqual([]);
    expect((await records()).map(({ id }) => id)).toEqual(['/etc/kbs-test/one', '/etc/kbs-test/two']);
    await world.run('ip link set lo up');
    await run(code(settings, phase('routes', [link('127.0.0.1')])));
    await run(code(settings, phase('routes', [link('127.0.0.2')]), phase('late', [file('/etc/kbs-test/three')])));
    expect((await records()).map(({ id, via }) => via ?? id)).toEqual([
      ...['/etc/kbs-test/one', '/etc/kbs-test/two', '127.0.0.2', '/etc/kbs-test/three'],
    ]);
    expect(removed((await run(code(settings))).plan)).toEqual([
      'prune: remove file /etc/kbs-test/three',
      'prune: remove route 127.9.0.0/24',
    ]);
  });

  it('prunes nothing of a host that has data which only kbs remove may delete', async () => {
    const data: Resource = {
      ...{ kind: 'task', name: 'data', check: sh`[ -e /run/data ]`, run: sh`touch /run/data`, undo: sh`rm /run/data` },
      keep: 'until-removed',
    };
    await run(code(phase('store', [file('/etc/kbs-test/store'), data])));
    const { plan } = await run(code());
    expect(removed(plan)).toEqual([]);
    expect(plan.hosts[0]?.notes).toEqual([
      `task data stays, with all that is left over: first run kbs remove ${host.name}, then add it again`,
    ]);
    const named = phase('emptied', [], { prunes: { of: ['store'] } });
    expect(removed((await run(code(named))).plan)).toEqual([
      'emptied: remove task data',
      'emptied: remove file /etc/kbs-test/store',
    ]);
  });

  it('records again a done task whose removal is kept for kbs remove, where its record is lost or names another cluster', async () => {
    const data: Resource = {
      ...{ kind: 'task', name: 'data', check: sh`[ -e /run/data ]`, run: sh`touch /run/data`, undo: sh`rm /run/data` },
      keep: 'until-removed',
    };
    const settings = phase('settings', [file('/etc/kbs-test/store'), data]);
    const ends = [
      'rm /var/lib/kbs/resources',
      `sed -i 's/"cluster":"[^"]*"/"cluster":"former"/' /var/lib/kbs/resources`,
    ];
    for (const end of ends) {
      await run(code(settings));
      await world.run(end);
      expect(changesOf((await run(code(settings))).plan)).toEqual([]);
      expect(await records()).toMatchObject([
        { id: '/etc/kbs-test/store', cluster: cluster.name },
        { id: 'data', cluster: cluster.name, keep: 'until-removed' },
      ]);
    }
    expect(removed((await run(code())).plan)).toEqual([]);
    await run(code(phase('emptied', [], { prunes: { of: ['settings'] } })));
  });

  it('holds back where the host has data of etcd and is no control plane, whatever is recorded', async () => {
    await run(code(phase('settings', [file('/etc/kbs-test/gone')])));
    await world.run('mkdir -p /var/lib/etcd/member/wal');
    await lookForFacts();
    const { plan } = await run(code());
    expect(removed(plan)).toEqual([]);
    expect(plan.hosts[0]?.notes).toEqual([
      `data of etcd stay, with all that is left over: first run kbs remove ${host.name}, then add it again`,
    ]);
    expect(removed(await planned(code(phase('etcd', []))))).toEqual(['prune: remove file /etc/kbs-test/gone']);
    await world.run('rm -r /var/lib/etcd');
    await lookForFacts();
    expect(removed(await planned(code()))).toEqual(['prune: remove file /etc/kbs-test/gone']);
  });

  it('undo removes the leftovers of former phases, and every record', async () => {
    await run(code(phase('former', [file('/etc/kbs-test/former')]), phase('own', [file('/etc/kbs-test/own')])));
    const undone = hostForUndo(host, cluster, [phase('own', [file('/etc/kbs-test/own')])]);
    const works = undo(undone, await observed(undone));
    expect(works.map(({ phase: { name }, changes }) => `${name}: ${changes.map(({ change }) => change.id)}`)).toEqual([
      'prune: /etc/kbs-test/former',
      'own: /etc/kbs-test/own',
      'clean-up-state: /var/lib/kbs',
    ]);
    for (const { changes } of works) {
      for (const { script, payloads } of changes.flatMap(({ steps }) => steps)) await world.run(script, payloads);
    }
    expect(await world.run('ls -A /etc/kbs-test /var/lib/kbs 2>/dev/null || :')).toBe('/etc/kbs-test:\nbeside\n');
  });

  it('interrupted between any two steps, comes to the same result when it is run again', async () => {
    const phases = [
      phase('a', [{ kind: 'directory', path: '/etc/kbs-test/own', mode: '0700' }, file('/etc/kbs-test/own/a')]),
      phase('b', [file('/etc/kbs-test/own/b'), file('/etc/kbs-test/c')]),
    ];
    const later = code(phase('a', [file('/etc/kbs-test/d')]));
    const stepsOf = async (of: HostPhases) =>
      compare([of], await observed(of)).flatMap((each) =>
        each.phases.flatMap(({ changes }) => changes.flatMap(({ steps }) => steps)),
      );
    const all = (await stepsOf(code(...phases))).length;
    for (let cut = 0; cut <= all; cut += 1) {
      for (const { script, payloads } of (await stepsOf(code(...phases))).slice(0, cut))
        await world.run(script, payloads);
      // What was applied has a record by then, so it is pruned when its phase is gone from the code.
      const { plan } = await run(code());
      expect(removed(plan).every((line) => line.startsWith('prune: remove'))).toBe(true);
      expect(await world.run('ls -A /etc/kbs-test; ls -A /var/lib/kbs 2>/dev/null || :'), `cut at ${cut}`).toBe(
        'beside\n',
      );
    }
    await run(code(...phases));
    const removals = (await stepsOf(later)).length;
    for (let cut = 0; cut <= removals; cut += 1) {
      await run(code(...phases));
      for (const { script, payloads } of (await stepsOf(later)).slice(0, cut)) await world.run(script, payloads);
      await run(later);
      expect(changesOf(await planned(later)), `cut at ${cut}`).toEqual([]);
      expect(await world.run('ls -A /etc/kbs-test')).toBe('beside\nd\n');
      expect((await records()).map(({ id }) => id)).toEqual(['/etc/kbs-test/d']);
    }
  });
});

describe('objects of a set that no phase desires', () => {
  const [, worker] = cluster.hosts;
  if (!worker) throw new Error('no second host');
  const objects = phase('objects', [], {
    after: () => [{ host: worker.name, phase: 'proxy' }],
    prunes: { objectsThrough: '/admin.conf' },
  });
  const other: HostPhases = { host: worker, phases: [], all: [] };
  const results = new Map([
    [factsScript, { code: 0, output: '' }],
    [printObjectSets('/admin.conf'), { code: 0, output: 'kube-proxy apps/v1 DaemonSet kube-proxy kube-system' }],
  ]);
  const planOf = (own: HostPhases, more: readonly HostPhases[], unreachable = new Map<string, Failure>()) => {
    const context = contextOf(cluster);
    const leftovers = new Map([[host.name, leftoversOf(own, context, results, [])]]);
    const work = compare([own, ...more], { context, results: new Map([[host.name, results]]), unreachable, leftovers });
    return { work, plan: toPlan('apply', cluster.name, work) };
  };
  const alone = { host, phases: [objects], all: [objects] };

  it('are deleted together, after the phases of other hosts that must be done first', () => {
    const { work, plan } = planOf(alone, [other]);
    expect(removed(plan)).toEqual(['objects: remove object kube-proxy']);
    expect(work[0]?.phases[0]?.after).toEqual([{ host: worker.name, phase: 'proxy' }]);
    const [step] = work[0]?.phases[0]?.changes[0]?.steps ?? [];
    expect(step?.script).toContain('delete --ignore-not-found');
  });

  it('stay where one of these hosts is not in the run, or is unreachable', () => {
    const unreachable = new Map([[worker.name, new Failure('unreachable', 'no answer')]]);
    for (const { plan } of [planOf(alone, []), planOf(alone, [other], unreachable)]) {
      expect(removed(plan)).toEqual([]);
      expect(plan.hosts[0]?.notes).toEqual([
        `object kube-proxy stays: it is deleted in a run that includes ${worker.name}`,
      ]);
    }
  });

  it('stay where a phase desires the set, or the run leaves phases out', () => {
    const set: Resource = { kind: 'object', name: 'kube-proxy', kubeconfig: '/admin.conf', objects: [] };
    const wanting = phase('wanting', [set]);
    expect(removed(planOf({ host, phases: [objects], all: [objects, wanting] }, [other]).plan)).toEqual([]);
    expect(removed(planOf({ host, phases: [objects], all: [objects, phase('left-out', [])] }, [other]).plan)).toEqual(
      [],
    );
  });
});
