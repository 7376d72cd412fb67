import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRecords, printRecords, recordOf, removeRecords, updateRecords } from '../../src/resources/record.js';
import type { Resource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';

const line = (id: string, via: string, cluster = 'lan'): string =>
  JSON.stringify({ kind: 'route', id, phase: `it's "phase":" é`, cluster, via });

describe.skipIf(lacks('root'))("a host's records", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.run('rm -rf /var/lib/kbs');
  });
  afterAll(() => world.end());

  const update = (put: readonly string[], drop: readonly string[] = []) =>
    world.run(
      updateRecords(
        put,
        drop.map((each) => ({ line: each })),
      ),
    );
  const lines = async () => (await world.run(printRecords)).split('\n').filter(Boolean);
  const awkward = [`/a "b" $HOME`, `/a`, `/a ","phase":"x`, `it's \\ é %s -n`];

  it('are an empty list where there is no file', async () => {
    expect(await lines()).toEqual([]);
  });

  it('keep their order and their places, with any characters in them', async () => {
    await update(awkward.map((id) => line(id, '1')));
    await update([line('/last', '1'), line(awkward[1] ?? '', '2')]);
    const expected = awkward.map((id, index) => line(id, index === 1 ? '2' : '1'));
    expect(await lines()).toEqual([...expected, line('/last', '1')]);
    await update([], [line('/a', 'whatever it says'), line('/never', '')]);
    expect(await lines()).toEqual([...expected.filter((_, index) => index !== 1), line('/last', '1')]);
    expect(await world.run('stat -c "%a %U" /var/lib/kbs/resources; ls /var/lib/kbs')).toBe('600 root\nresources\n');
  });

  it('survive a run that was interrupted while it wrote, and the file is deleted with the last record', async () => {
    const before = await lines();
    await world.run('printf half > /var/lib/kbs/resources.new');
    expect(await lines()).toEqual(before);
    await update([], before);
    expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
    await update([line('/a', '1'), line('/b ","cluster":"lan"', '1', 'other'), line('/c', '1')]);
    await world.run(removeRecords('lan'));
    expect(await lines()).toEqual([line('/b ","cluster":"lan"', '1', 'other')]);
    await world.run('echo "half of a li" >> /var/lib/kbs/resources');
    await world.run(removeRecords('lan'));
    expect(await lines()).toEqual([line('/b ","cluster":"lan"', '1', 'other')]);
    await world.run(removeRecords('other'));
    expect(await world.run('ls -A /var/lib/kbs')).toBe('');
  });
});

describe('a record', () => {
  const route: Resource = { kind: 'route', to: '10.0.0.0/24', via: '192.0.2.1' };

  it('has what the removal of the resource needs', () => {
    const [record] = parseRecords(recordOf({ cluster: 'lan', phase: 'routes' }, route) ?? '');
    expect(record).toMatchObject({
      name: 'route 10.0.0.0/24',
      phase: 'routes',
      cluster: 'lan',
      keep: false,
      resource: route,
    });
  });

  it.each([
    ['no JSON', 'half of a li'],
    ['no object', '"route"'],
    ['without a phase', '{"kind":"route","id":"10.0.0.0/24","cluster":"c","via":"192.0.2.1"}'],
    ['without a cluster', '{"kind":"route","id":"10.0.0.0/24","phase":"p","via":"192.0.2.1"}'],
    ['with a name that would move a cursor', '{"kind":"file","id":"/a\\u001b[2J","phase":"p","cluster":"c"}'],
  ])('is damaged: %s', (_, text) => {
    const [valid, damaged] = parseRecords(`${line('/a', '1')}\n\n${text}\n`);
    expect(valid?.damaged).toBeUndefined();
    expect(damaged).toEqual({
      name: 'line 3 of /var/lib/kbs/resources',
      phase: '',
      keep: false,
      line: text,
      damaged: true,
    });
  });

  it.each([
    ['of a kind that is not known', '{"kind":"hologram","id":"x","phase":"p","cluster":"c"}'],
    ['of a name that every object has', '{"kind":"toString","id":"x","phase":"p","cluster":"c"}'],
    ['of a kind that is never recorded', '{"kind":"object","id":"x","phase":"p","cluster":"c"}'],
    ['without what removal needs', '{"kind":"route","id":"10.0.0.0/24","phase":"p","cluster":"c"}'],
    [
      'with a rule that is not known',
      '{"kind":"route","id":"10.0.0.0/24","phase":"p","cluster":"c","keep":"on-sundays","via":"1"}',
    ],
    ['of a path that is none', '{"kind":"file","id":"etc/passwd","phase":"p","cluster":"c"}'],
  ])('is not understood: %s', (_, text) => {
    const [record] = parseRecords(text);
    expect(record?.line).toBe(text);
    expect(record?.resource).toBeUndefined();
    expect(record?.name).toMatch(/^\P{Cc}+$/u);
  });
});
