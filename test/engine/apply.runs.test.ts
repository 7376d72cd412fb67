import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changesOf } from '../../src/engine/plan.js';
import { Failure } from '../../src/failure.js';
import type { Host } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { Gate } from '../../src/phases/phase.js';
import type { Resource } from '../../src/resources/resource.js';
import { clusterOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { asScript } from '../support/script.js';
import { hostPhases, phase, type Stage, stage } from './engine-harness.js';

const [controller, office, rack] = clusterOf().hosts;
let scene: Stage;

beforeEach(() => {
  scene = stage();
});
afterEach(() => scene.clear());

const run: Stage['run'] = (...given) => scene.run(...given);
const mark: Stage['mark'] = (...given) => scene.mark(...given);
const order: Stage['order'] = () => scene.order();

describe('apply', () => {
  test('applies the plan, and a second plan is empty', async () => {
    const runHosts = [hostPhases(office, phase('one', [mark('a'), mark('b')]), phase('two', [mark('c')]))];
    const first = await run(runHosts);
    expect(changesOf(first.plan)).toHaveLength(3);
    expect(order()).toEqual(['a', 'b', 'c']);
    const second = await run(runHosts);
    expect(changesOf(second.plan)).toEqual([]);
    expect(second.events.filter(({ type }) => type === 'phase')).toEqual([]);
  });

  test('a command that does not end is reported with its phase', async () => {
    const failure = new Failure('timeout', 'too slow', { where: { host: 'x' }, next: 'wait' });
    const open = (host: { name: string }): Host => ({ ...here(host.name), mutate: () => Promise.reject(failure) });
    const { outcome } = await run([hostPhases(office, phase('one', [mark('a')]))], { open });
    expect(outcome.get(office?.name ?? '')).toMatchObject({
      code: 'timeout',
      message: 'too slow',
      where: { host: 'x', phase: 'one' },
      next: 'wait',
    });
  });

  test('a host waits for another only where a gate of its phase is about that one', async () => {
    const aboutSlow = {
      gates: () => [{ name: 'slow', test: sh`:`, timeoutSeconds: 1, afterHost: controller?.name ?? '' }],
    };
    let freeIsDone = () => {};
    const free = new Promise<void>((resolve) => {
      freeIsDone = resolve;
    });
    const finished: string[] = [];
    // The slow host finishes only once the free one has: a barrier between them would never open.
    const open = (host: { name: string }): Host => ({
      name: host.name,
      query: (query) => here(host.name).query(query),
      async mutate() {
        if (host.name === controller?.name) await free;
        finished.push(host.name);
        if (host.name === office?.name) freeIsDone();
        return { code: 0, stdout: '', stderr: '' };
      },
    });
    await run(
      [
        hostPhases(rack, phase('bound', [mark('bound')], aboutSlow)),
        hostPhases(controller, phase('slow', [mark('slow')])),
        hostPhases(office, phase('free', [mark('free')])),
      ],
      { open },
    );
    expect(finished).toEqual(['worker-office-00', 'controller-00', 'worker-rack-00']);
  });

  test('a failure names host, phase, resource and the last lines of stderr, and ends that host only', async () => {
    const broken = phase('broken', [mark('before'), mark('bad', 'echo why it broke >&2; exit 3'), mark('after')]);
    const { outcome, events } = await run([
      hostPhases(office, broken, phase('later', [mark('later')])),
      hostPhases(rack, phase('fine', [mark('fine')])),
    ]);
    expect(outcome.get('worker-office-00')).toMatchObject({
      code: 'refused',
      where: { host: 'worker-office-00', phase: 'broken', resource: 'task bad' },
      why: ['why it broke'],
    });
    expect(outcome.get('worker-rack-00')).toBeUndefined();
    expect([...order()].sort()).toEqual(['before', 'fine']);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'phase', host: 'worker-office-00', state: 'failed' }),
    );
  });

  test('a failure names its own resource also where the output of the one before ends without a line break', async () => {
    const phases = [phase('one', [mark('open', 'printf unfinished'), mark('bad', 'exit 3')])];
    const { outcome } = await run([hostPhases(office, ...phases)]);
    expect(outcome.get('worker-office-00')?.where).toMatchObject({ resource: 'task bad' });
  });

  test('a change that has waited in vain has timed out', async () => {
    const { outcome } = await run([hostPhases(office, phase('one', [mark('slow', 'echo not ready >&2; exit 124')]))]);
    expect(outcome.get('worker-office-00')).toMatchObject({ code: 'timeout', exit: 7, why: ['not ready'] });
  });

  test.each([
    ['another run holds the lock', 'flock -w 60', 'flock -w 0', { code: 'locked' }],
    ['a change has an exit status of 79', 'flock -w', 'flock -w', { code: 'refused', where: { resource: 'task bad' } }],
    ['the host has no flock', 'flock', '/no/flock', { code: 'refused', where: { command: 'sh (exit status 127)' } }],
  ])('where %s, that is what the failure says', async (_, from, to, expected) => {
    const lock = join(scene.folder, 'lock');
    const held = expected.code === 'locked' ? await hold(lock) : undefined;
    const open = (host: { name: string }): Host => {
      const local = here(host.name);
      const script = (text: string) => text.replace('/run/kbs.lock', lock).replace(from, to);
      return {
        ...local,
        mutate: (given, options) => local.mutate({ ...given, script: asScript(script(given.script)) }, options),
      };
    };
    const { outcome } = await run([hostPhases(office, phase('one', [mark('bad', 'exit 79')]))], { open });
    held?.kill();
    expect(outcome.get('worker-office-00')).toMatchObject(expected);
  });

  test('every change is an event as it begins and ends', async () => {
    const { events } = await run([hostPhases(office, phase('one', [mark('a'), mark('b')]))]);
    const changes = events.flatMap((event) => (event.type === 'change' ? [`${event.change.id} ${event.state}`] : []));
    expect(changes).toEqual(['a started', 'a done', 'b started', 'b done']);
  });

  test('after an interrupt no further phase begins, and the next run continues', async () => {
    const controller = new AbortController();
    const open = (host: { name: string }): Host => {
      const local = here(host.name);
      return {
        ...local,
        mutate: (mutation, options) => local.mutate(mutation, options).finally(() => controller.abort()),
      };
    };
    const runHosts = [hostPhases(office, phase('one', [mark('a')]), phase('two', [mark('b')]))];
    const { outcome } = await run(runHosts, { signal: controller.signal, open });
    expect(outcome.get('worker-office-00')?.code).toBe('interrupted');
    expect(order()).toEqual(['a']);
    await run(runHosts);
    expect(order()).toEqual(['a', 'b']);
  });
});

/** Another process that holds a lock. */
const hold = (file: string): Promise<ChildProcess> =>
  new Promise((resolve) => {
    const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    holder.stdout.once('data', () => resolve(holder));
  });

describe('gates', () => {
  const gate = (timeoutSeconds: number): Gate => ({
    name: 'the door',
    test: sh`echo still shut; [ -e ${scene.folder}/door ]`,
    timeoutSeconds,
  });

  test('a closed gate is waited for before anything changes', async () => {
    const opens = phase('opens', [mark('door', 'sleep 0.2')]);
    const enters = phase('enters', [mark('inside')], { gates: () => [gate(20)] });
    const { events } = await run([hostPhases(office, opens), hostPhases(rack, enters)]);
    expect(order()).toEqual(['door', 'inside']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'gate', gate: 'the door', state: 'done' }));
  });

  test('one that stays closed is a timeout with its reason', async () => {
    const { outcome } = await run([hostPhases(rack, phase('enters', [mark('inside')], { gates: () => [gate(1)] }))]);
    expect(outcome.get('worker-rack-00')).toMatchObject({
      code: 'timeout',
      message: 'timed out after 1 s waiting for: the door',
      why: ['the door: still shut'],
      next: expect.stringContaining('kbs ssh worker-rack-00'),
    });
    expect(order()).toEqual([]);
  });

  test('a timeout names the gates that are closed, and the host that each is about', async () => {
    const open: Gate = { name: 'the window', test: sh`:`, timeoutSeconds: 1 };
    const about: Gate = { ...gate(1), afterHost: 'worker-office-00' };
    const waits = phase('waits', [mark('inside')], { gates: () => [open, about] });
    const { outcome } = await run([hostPhases(office, phase('first', [mark('done')])), hostPhases(rack, waits)]);
    expect(outcome.get('worker-rack-00')).toMatchObject({
      message: 'timed out after 1 s waiting for: the door',
      next: expect.stringContaining('see why on worker-office-00 (kbs ssh worker-office-00)'),
    });
  });

  test('a timeout shows what the program behind the gate has logged on the host that the gate is about', async () => {
    const log = { of: 'kubelet', script: sh`printf '%s\\n' one '' 'open /dev/kmsg: no such file or directory'` };
    const about: Gate = { ...gate(1), afterHost: 'worker-office-00', log };
    const waits = phase('waits', [mark('inside')], { gates: () => [about] });
    const { outcome } = await run([hostPhases(office, phase('first', [mark('done')])), hostPhases(rack, waits)]);
    expect(outcome.get('worker-rack-00')?.why).toEqual([
      'the door: still shut',
      'kubelet of worker-office-00: one',
      'kubelet of worker-office-00: open /dev/kmsg: no such file or directory',
    ]);
  });

  test('a log that cannot be had is left out', async () => {
    const log = { of: 'kubelet', script: sh`exit 1` };
    const waits = phase('waits', [mark('inside')], { gates: () => [{ ...gate(1), log }] });
    const { outcome } = await run([hostPhases(rack, waits)]);
    expect(outcome.get('worker-rack-00')?.why).toEqual(['the door: still shut']);
  });

  test('a change of the system clock shortens no wait', async () => {
    const flag = join(scene.folder, 'asked');
    const late: Gate = {
      name: 'the late door',
      // From now on it is the year 2286.
      prelude: sh`if [ -e ${flag} ]; then date() { echo 9999999999; }; fi`,
      test: sh`[ -e ${flag}-twice ] || { [ ! -e ${flag} ] || touch ${flag}-twice; touch ${flag}; false; }`,
      timeoutSeconds: 60,
    };
    const { outcome } = await run([hostPhases(rack, phase('enters', [mark('inside')], { gates: () => [late] }))]);
    expect(outcome.get('worker-rack-00')).toBeUndefined();
    expect(order()).toEqual(['inside']);
  });

  test('one that was open when kbs observed the host is trusted, unless something changed since', async () => {
    await run([hostPhases(office, phase('opens', [mark('door')]))]);
    const runHosts = [hostPhases(office, phase('enters', [], { gates: () => [gate(1)] }))];
    expect((await run(runHosts)).events.filter(({ type }) => type === 'gate')).toEqual([]);
    const changing = [hostPhases(office, phase('changes', [mark('x')]), ...(runHosts[0]?.phases ?? []))];
    expect((await run(changing)).events.filter(({ type }) => type === 'gate')).toHaveLength(2);
  });

  test('one about a host that failed is not waited for', async () => {
    const afterHost: Gate = { ...gate(30), afterHost: 'worker-rack-00' };
    const { outcome } = await run([
      hostPhases(office, phase('waits', [], { gates: () => [afterHost] })),
      hostPhases(rack, phase('broken', [mark('bad', 'exit 1')])),
    ]);
    expect(outcome.get('worker-office-00')).toBeUndefined();
  });
});

describe('a resource in an unknown state', () => {
  /** A kubectl that is refused until the API is up, and then keeps what is applied. */
  const kubectl = () => `#!/bin/sh
[ -e ${scene.folder}/api ] || { echo refused >&2; exit 1; }
case "$*" in
  *' get '*) cat > /dev/null; [ ! -e ${scene.folder}/objects ] || cat ${scene.folder}/objects ;;
  *) cat > ${scene.folder}/objects; echo applied >> ${scene.folder}/order ;;
esac
`;
  const objects: Resource = {
    kind: 'object',
    name: 'some',
    kubeconfig: '/dev/null',
    objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { b: 'c' } }],
  };

  test('is applied once its gate is open, and is known from then on', async () => {
    const program = join(scene.folder, 'kubectl');
    writeFileSync(program, kubectl(), { mode: 0o755 });
    const open = (host: { name: string }): Host => {
      const local = here(host.name);
      const script = (text: string) =>
        text
          .replaceAll('/usr/local/bin/kubectl', program)
          .replaceAll('/run/kbs.lock', join(scene.folder, `${host.name}.lock`));
      return {
        name: host.name,
        query: (given, options) => local.query({ ...given, script: asScript(script(given.script)) }, options),
        mutate: (given, options) => local.mutate({ ...given, script: asScript(script(given.script)) }, options),
      };
    };
    const gates = () => [{ name: 'API answers', test: sh`[ -e ${scene.folder}/api ]`, timeoutSeconds: 20 }];
    const runHosts = [
      hostPhases(office, phase('starts', [mark('api', 'sleep 0.2')])),
      hostPhases(rack, phase('applies', [objects], { gates })),
    ];
    const first = await run(runHosts, { open });
    const planned = changesOf(first.plan).filter(({ kind }) => kind === 'object');
    expect(planned).toMatchObject([{ action: 'unknown', reason: 'refused' }]);
    expect(first.outcome.get('worker-rack-00')).toBeUndefined();
    expect(order()).toEqual(['api', 'applied']);
    expect(changesOf((await run(runHosts, { open })).plan)).toEqual([]);
  });
});

describe('observe', () => {
  test('a host that cannot be reached is skipped, and the others are observed', async () => {
    const { Failure } = await import('../../src/failure.js');
    const open = (host: { name: string }): Host =>
      host.name === 'worker-rack-00'
        ? {
            name: host.name,
            query: () => Promise.reject(new Failure('unreachable', 'no answer')),
            mutate: () => Promise.reject(new Error()),
          }
        : here(host.name);
    const { plan, outcome } = await run(
      [hostPhases(office, phase('one', [mark('a')])), hostPhases(rack, phase('one', [mark('b')]))],
      { open },
    );
    expect(plan.hosts.map(({ skipped }) => skipped?.what)).toEqual([undefined, 'no answer']);
    expect(outcome.get('worker-rack-00')?.code).toBe('unreachable');
    expect(order()).toEqual(['a']);
  });

  test('phases that desire different states of one resource are a bug of kbs, and nothing begins', async () => {
    const one = phase('one', [{ kind: 'file', path: `${scene.folder}/f`, content: 'a', mode: '0644' }]);
    const two = phase('two', [{ kind: 'file', path: `${scene.folder}/f`, content: 'b', mode: '0644' }]);
    await expect(run([hostPhases(office, one, two)])).rejects.toThrow('disagree about file');
  });
});
