import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRecords, recordOf } from '../../src/resources/record.js';
import type { Resource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import type { Contract } from './contracts.js';
import { createWorld, type World } from './overlay-host.js';
import { allDifferences, apply, remove } from './reconcile.js';

/** What every kind of resource must hold to, on a host of its own with a real shell. */
export const describeContract = ({ about, resources, given, drifts, shows }: Contract): void => {
  describe.skipIf(lacks('root'))(about, () => {
    let world: World;
    let found: string;
    beforeAll(async () => {
      world = await createWorld();
      await world.run(given);
      found = await world.run(shows);
    });
    afterAll(() => world.end());

    it('is applied, and differs in nothing afterwards', async () => {
      for (const difference of await allDifferences(world, resources)) expect(difference).not.toEqual({});
      await apply(world, resources);
      for (const difference of await allDifferences(world, resources)) expect(difference).toEqual({});
    });

    it('is queried without a change to the host', async () => {
      await allDifferences(world, resources);
      const before = await world.changes();
      await allDifferences(world, resources);
      expect(await world.changes()).toBe(before);
    });

    it.each(Object.entries(drifts))('is repaired when it was %s', async (_drift, script) => {
      await apply(world, resources);
      await world.run(script);
      expect(await apply(world, resources), 'something differs').toBeGreaterThan(0);
      for (const difference of await allDifferences(world, resources)) expect(difference).toEqual({});
    });

    it('is removed without leftovers', async () => {
      await apply(world, resources);
      await remove(world, resources);
      expect(await world.run(shows)).toBe(found);
      expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
      expect(await remove(world, resources), 'nothing is left to remove').toBe(0);
    });

    it('is removed without leftovers also where only its record is known', async () => {
      await apply(world, resources);
      await remove(world, resources.flatMap(fromRecord));
      expect(await world.run(shows)).toBe(found);
      expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
    });
  });
};

const fromRecord = (resource: Resource): readonly Resource[] =>
  parseRecords(recordOf({ cluster: 'c', phase: 'p' }, resource) ?? '').map(({ resource: known }) => {
    if (!known) throw new Error(`the record of a ${resource.kind} is not understood`);
    return known;
  });
