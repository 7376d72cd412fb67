import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RollingGroups } from '../../src/engine/rolling.js';
import { Failure } from '../../src/failure.js';
import type { Host } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import type { Gate, Phase, RollingUpdate } from '../../src/phases/phase.js';
import type { Resource } from '../../src/resources/resource.js';
import { clusterOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { hostPhases, phase, type Stage, stage } from './engine-harness.js';

/** Named by their place in the inventory: a, b and c. */
const hosts = clusterOf()
  .hosts.slice(0, 3)
  .map((host, index) => ({ ...host, name: 'abc'.charAt(index) }));
let scene: Stage;

beforeEach(() => {
  scene = stage();
  for (const { name } of hosts) serve(name);
});
afterEach(() => scene.clear());

const path = (name: string) => join(scene.folder, name);
const serve = (name: string) => writeFileSync(path(`${name}-serves`), '');
const exists = (file: string, timeoutSeconds = 10): Gate => ({
  name: file,
  test: sh`echo ${file} is missing; [ -e ${path(file)} ]`,
  timeoutSeconds,
});

const roll = (host: ClusterHost, rest: Partial<RollingUpdate> = {}): RollingUpdate => ({
  group: 'control-plane',
  preconditions: [],
  healthy: [exists(`${host.name}-serves`, 1)],
  ...rest,
});

/** Shell that ends once a file exists, and fails after ten seconds without it. */
const until = (file: string) =>
  `n=0; until [ -e ${path(file)} ]; do n=$((n + 1)); if [ $n -gt 200 ]; then exit 1; fi; sleep 0.05; done`;

/** A phase with one task per host, `HOST-PHASE`, which logs when it begins and when it ends. */
const step = (name: string, command: (host: string) => string = () => 'sleep 0.1', rest: Partial<Phase> = {}): Phase =>
  phase(name, [], { resources: (host) => [logged(`${host.name}-${name}`, command(host.name))], ...rest });

const logged = (name: string, command: string): Resource =>
  scene.mark(name, `echo "(${name}" >> ${path('order')}; ${command}`);

/** The same as part of a rolling update. */
const rolling = (name: string, command?: (host: string) => string, rest: Partial<Phase> = {}): Phase =>
  step(name, command, { rolling: (host) => roll(host), ...rest });

const onEach = (...phases: Phase[]) => hosts.map((host) => hostPhases(host, ...phases));

/** The log of tasks that run one after the other, each begun after the one before it ended. */
const inSequence = (...names: string[]) => names.flatMap((name) => [`(${name}`, name]);

const waiting = (events: Awaited<ReturnType<Stage['run']>>['events']) =>
  events.flatMap((event) =>
    event.type === 'phase' && event.state === 'waiting' ? [`${event.host} on ${event.on}`] : [],
  );

describe('hosts that serve', () => {
  test('change one at a time, in the order of the inventory, and their events name the host that they wait for', async () => {
    const { outcome, events } = await scene.run(onEach(rolling('one')));
    expect(scene.order()).toEqual(inSequence('a-one', 'b-one', 'c-one'));
    expect([...outcome.values()]).toEqual([undefined, undefined, undefined]);
    expect(waiting(events)).toEqual(['b on a', 'c on a', 'c on b']);
  });

  test('hold the slot from the first rolling phase to the last, with all phases between', async () => {
    await scene.run(onEach(rolling('one'), step('two'), rolling('three')));
    const each = (host: string) => [`${host}-one`, `${host}-two`, `${host}-three`];
    expect(scene.order()).toEqual(inSequence(...each('a'), ...each('b'), ...each('c')));
  });

  test('hold no slot before the first rolling phase nor after the last', async () => {
    const { outcome } = await scene.run([
      hostPhases(
        hosts[0],
        rolling('one', () => `touch ${path('a-began')}\n${until('b-early')}`),
        step('late', () => until('b-one')),
      ),
      hostPhases(
        hosts[1],
        step('early', () => until('a-began')),
        rolling('one'),
      ),
    ]);
    expect([...outcome.values()]).toEqual([undefined, undefined]);
  });

  test('acquire no slot where nothing changes', async () => {
    writeFileSync(path('a-one'), '');
    const { events } = await scene.run(onEach(rolling('one')));
    expect(waiting(events)).toEqual(['c on b']);
  });

  test('release the slot only once they are healthy again', async () => {
    const restart = (host: string) =>
      `ls ${scene.folder} | grep -c -- -serves >> ${path('serving')}
       rm ${path(`${host}-serves`)}; (sleep 0.5; touch ${path(`${host}-serves`)}) > /dev/null 2>&1 & :`;
    const withTime = { rolling: (host: ClusterHost) => roll(host, { healthy: [exists(`${host.name}-serves`)] }) };
    await scene.run(onEach(rolling('one', restart, withTime)));
    expect(scene.lines('serving')).toEqual(['3', '3', '3']);
  });

  test('query the preconditions once they hold the slot', async () => {
    writeFileSync(path('healthy'), '');
    const before = { rolling: (host: ClusterHost) => roll(host, { preconditions: [exists('healthy', 1)] }) };
    const harm = (host: string) => (host === 'a' ? `rm ${path('healthy')}` : ':');
    const { outcome } = await scene.run(onEach(rolling('one', harm, before)));
    expect(scene.order()).toEqual(inSequence('a-one'));
    expect(outcome.get('a')).toBeUndefined();
    expect(outcome.get('b')).toMatchObject({ code: 'timeout', why: ['healthy: healthy is missing'] });
    expect(outcome.get('c')).toMatchObject({ code: 'timeout', message: 'left untouched: b failed before' });
  });

  test('query the preconditions before each phase of the rolling update', async () => {
    writeFileSync(path('healthy'), '');
    const before = { rolling: (host: ClusterHost) => roll(host, { preconditions: [exists('healthy', 1)] }) };
    await scene.run(
      onEach(
        rolling('one', () => `rm ${path('healthy')}`),
        rolling('two', undefined, before),
      ),
    );
    expect(scene.order()).toEqual(inSequence('a-one'));
  });
});

describe('hosts that do not serve', () => {
  test('change at the same time, as they have nothing to disturb', async () => {
    for (const { name } of hosts) rmSync(path(`${name}-serves`));
    const others = (host: string) => [...'abc'.replace(host, '')].map((other) => until(`${other}-came`)).join('\n');
    const meet = (host: string) => `touch ${path(`${host}-came`)}\n${others(host)}`;
    const { outcome } = await scene.run(onEach(rolling('one', meet)));
    expect([...outcome.values()]).toEqual([undefined, undefined, undefined]);
  });

  test('do not wait for a host that serves, nor it for them', async () => {
    rmSync(path('a-serves'));
    const meet = (host: string) => `touch ${path(`${host}-came`)}\n${until(host === 'a' ? 'b-came' : 'a-came')}`;
    const { outcome } = await scene.run(onEach(rolling('one', meet)));
    expect([...outcome.values()]).toEqual([undefined, undefined, undefined]);
  });

  test('are all hosts whose rolling update has no `healthy` gate', async () => {
    const meet = (host: string) => `touch ${path(`${host}-came`)}\n${until('c-came')}`;
    const nothing = { rolling: (host: ClusterHost) => roll(host, { healthy: [] }) };
    const { outcome } = await scene.run(onEach(rolling('one', meet, nothing)));
    expect([...outcome.values()]).toEqual([undefined, undefined, undefined]);
  });
});

describe('a host that fails while it holds the slot stops the rolling update', () => {
  test.each([
    ['in a rolling phase', 'one'],
    ['in a phase between two rolling phases', 'two'],
    ['in the last rolling phase', 'three'],
  ])('%s', async (_where, bad) => {
    const fails = (name: string) => (host: string) =>
      name === bad && host === 'a' ? 'echo why it broke >&2; exit 3' : ':';
    const { outcome, events } = await scene.run(
      onEach(rolling('one', fails('one')), step('two', fails('two')), rolling('three', fails('three')), step('late')),
    );
    expect(scene.order().filter((line) => !/^\(?a-/.test(line))).toEqual([]);
    expect(outcome.get('a')).toMatchObject({ code: 'refused', why: ['why it broke'] });
    for (const host of ['b', 'c']) {
      expect(outcome.get(host)).toMatchObject({
        code: 'refused',
        message: 'left untouched: a failed before',
        where: { host, phase: 'one' },
        cause: outcome.get('a'),
      });
      expect(events).toContainEqual(expect.objectContaining({ type: 'phase', host, phase: 'one', state: 'failed' }));
    }
  });

  test('when it is not healthy after its changes', async () => {
    const { outcome } = await scene.run(
      onEach(
        rolling('one', (host) => `rm ${path(`${host}-serves`)}`),
        step('late'),
      ),
    );
    expect(scene.order()).toEqual(inSequence('a-one'));
    expect(outcome.get('a')).toMatchObject({ code: 'timeout', why: ['a-serves: a-serves is missing'] });
    expect(outcome.get('b')).toMatchObject({ code: 'timeout', message: 'left untouched: a failed before' });
  });

  test('when a later rolling phase closes a `healthy` gate of an earlier one', async () => {
    const etcd = { rolling: (host: ClusterHost) => roll(host, { healthy: [exists('etcd', 1)] }) };
    writeFileSync(path('etcd'), '');
    const { outcome } = await scene.run(
      onEach(
        rolling('one', () => ':', etcd),
        rolling('two', () => `rm ${path('etcd')}`),
      ),
    );
    expect(scene.order()).toEqual(inSequence('a-one', 'a-two'));
    expect(outcome.get('a')).toMatchObject({ code: 'timeout', where: { host: 'a', phase: 'two' } });
  });

  test('but stops neither other groups nor hosts that do not serve', async () => {
    rmSync(path('c-serves'));
    const dns = { rolling: (host: ClusterHost) => roll(host, { group: 'dns' }) };
    const { outcome } = await scene.run([
      hostPhases(
        hosts[0],
        rolling('one', () => `touch ${path('a-began')}; exit 3`),
      ),
      hostPhases(
        hosts[1],
        rolling('two', () => until('a-began'), dns),
      ),
      hostPhases(hosts[2], rolling('one')),
    ]);
    expect([...outcome].filter(([, failure]) => failure).map(([name]) => name)).toEqual(['a']);
  });

  test('but one that fails before it holds the slot stops no other host', async () => {
    const { outcome } = await scene.run(
      onEach(
        step('early', (host) => (host === 'a' ? 'exit 3' : ':')),
        rolling('one'),
      ),
    );
    expect(outcome.get('b')).toBeUndefined();
    expect(scene.order()).toContain('c-one');
  });
});

test('an interrupt during a rolling update ends all waiting hosts without a change, and the next run continues', async () => {
  const { signal, abort } = interruption();
  const open = ({ name }: { name: string }): Host => {
    const local = here(name);
    return { ...local, mutate: (mutation, options) => local.mutate(mutation, options).finally(abort) };
  };
  const runHosts = onEach(
    rolling('one', () => ':'),
    rolling('two', () => ':'),
  );
  const { outcome } = await scene.run(runHosts, { signal, open });
  expect(scene.order()).toEqual(inSequence('a-one'));
  expect([...outcome.values()].map((failure) => failure?.code)).toEqual(['interrupted', 'interrupted', 'interrupted']);
  expect(outcome.get('b')?.message).toBe('interrupted before phase one');
  await scene.run(runHosts);
  expect(scene.order()).toEqual(inSequence('a-one', 'a-two', 'b-one', 'b-two', 'c-one', 'c-two'));
});

const interruption = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
};

describe('a host that holds a slot waits for no other host', () => {
  test('its gate about a host that waits for the slot is queried without waiting for that host', async () => {
    const about = { gates: () => [{ ...exists('b-serves'), afterHost: 'b' }] };
    await scene.run(onEach(rolling('one'), step('two', undefined, about), rolling('three')).slice(0, 2));
    expect(scene.order().filter((line) => line.startsWith('(b'))).toHaveLength(3);
  });

  test('its gate about another host, after the rolling update, waits until that host is done', async () => {
    const about = (host: ClusterHost) => (host.name === 'a' ? [{ ...exists('c-one', 1), afterHost: 'c' }] : []);
    const { outcome } = await scene.run(onEach(rolling('one'), phase('ready', [], { gates: about })));
    expect(outcome.get('a')).toBeUndefined();
  });

  test('the slots of two groups whose phases overlap are acquired together', async () => {
    const group = (name: RollingUpdate['group']) => ({ rolling: (host: ClusterHost) => roll(host, { group: name }) });
    const plane = (name: string) => rolling(name, undefined, group('control-plane'));
    const balancer = (name: string) => rolling(name, undefined, group('load-balancer'));
    await scene.run([
      hostPhases(hosts[0], plane('one'), balancer('two'), plane('three')),
      hostPhases(hosts[1], balancer('two'), plane('three'), balancer('four')),
    ]);
    expect(scene.order()).toEqual(inSequence('a-one', 'a-two', 'a-three', 'b-two', 'b-three', 'b-four'));
  });

  test('phases that wait for each other in a cycle are an error of kbs, and nothing is changed', async () => {
    const cross = (host: ClusterHost) => [{ ...exists('never', 1), afterHost: host.name === 'a' ? 'b' : 'a' }];
    const running = scene.run(onEach(step('one', undefined, { gates: cross })).slice(0, 2));
    await expect(running).rejects.toThrow('hosts would wait for each other without end: a, b');
    expect(existsSync(path('order'))).toBe(false);
  });
});

test('when several hosts wait, the first in the order of the inventory is next, however late it came', async () => {
  const slots = new RollingGroups(['a', 'b', 'c', 'd']);
  const took: string[] = [];
  const take = async (host: string) => {
    await slots.acquire(host, ['dns'], () => {});
    took.push(host);
  };
  await take('c');
  const rest = ['d', 'b', 'a'].map((host) => take(host).then(() => slots.release(host, 'dns')));
  slots.release('c', 'dns');
  await Promise.all(rest);
  expect(took).toEqual(['c', 'a', 'b', 'd']);
});

test('a host that waits only behind a host that is stopped acquires the slot', async () => {
  const slots = new RollingGroups(['a', 'b', 'c']);
  await slots.acquire('c', ['dns'], () => {});
  const waitedFor: string[] = [];
  const second = slots.acquire('b', ['control-plane'], (other) => waitedFor.push(other));
  const first = slots.acquire('a', ['control-plane', 'dns'], () => {});
  slots.halt('c', new Failure('refused', 'broken'));
  expect((await first)?.host).toBe('c');
  expect(await second).toBeUndefined();
  expect(waitedFor).toEqual(['a']);
});
