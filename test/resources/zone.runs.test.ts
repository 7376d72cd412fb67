import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ZoneResource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences } from './reconcile.js';

const path = '/etc/kbs-test/zone';

const zone = (serial: number, content = '@ IN SOA ns hostmaster @SERIAL@ 60 60 60 60\n'): ZoneResource => ({
  kind: 'zone',
  path,
  content,
  serial,
  mode: '0644',
});

describe.skipIf(lacks('root'))('the serial of a zone', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  const serialNow = async () => Number(/hostmaster \(?\s*(\d+)/.exec(await world.run(`cat ${path}`))?.[1]);

  it.each([
    ['is that of the resource where nothing was', '', 500, 500],
    ['grows by one where the clock is behind', '@ IN SOA ns hostmaster 500 60 60 60 60', 400, 501],
    ['grows by one where the clock stands still', '@ IN SOA ns hostmaster 500 60 60 60 60', 500, 501],
    ['is that of the resource where the clock is ahead', '@ IN SOA ns hostmaster 500 60 60 60 60', 900, 900],
    ['is found in a record of several lines', '@ IN SOA ns hostmaster (\n\t500 ; serial\n 60 60 60 60 )', 1, 501],
    ['is found without a space before the bracket', '@\tIN\tSOA\tns\thostmaster\t(500 60 60 60 60 )', 1, 501],
    ['is a decimal number, whatever it begins with', '@ IN SOA ns hostmaster 0099 60 60 60 60', 1, 100],
    ['may be the largest but one', '@ IN SOA ns hostmaster 4294967294 60 60 60 60', 1, 4294967295],
    ['is that of the resource where none can be read', 'no zone at all', 7, 7],
  ])('%s', async (_, before, clock, after) => {
    await world.run(`rm -rf /etc/kbs-test; mkdir /etc/kbs-test`);
    if (before !== '') await world.run(`printf '%s\\nold IN A 192.0.2.1\\n' '${before}' > ${path}`);
    await apply(world, [zone(clock)]);
    expect(await serialNow()).toBe(after);
  });

  it('never shrinks and changes with every change of the text, whatever clocks say', async () => {
    await world.run(`rm -rf /etc/kbs-test`);
    let last = 0;
    for (const [index, clock] of [900, 100, 901, 901, 0, 903, 902].entries()) {
      const next = zone(clock, `@ IN SOA ns hostmaster @SERIAL@ 60 60 60 60\nhost-${index} IN A 192.0.2.1\n`);
      await apply(world, [next]);
      const serial = await serialNow();
      expect(serial).toBeGreaterThan(last);
      last = serial;
      await world.run(`chmod 0600 ${path}`);
      await apply(world, [{ ...next, serial: 5000 }]);
      expect(await differences(world, next)).toEqual({});
      expect(await serialNow()).toBe(last);
    }
  });
});
