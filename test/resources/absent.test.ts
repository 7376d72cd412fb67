import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileResource, Resource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences } from './reconcile.js';

const manifest: FileResource = { kind: 'file', path: '/etc/kbs-test/a.yaml', content: 'ours\n', mode: '0600' };
const gone: Resource = { kind: 'absent', resource: { ...manifest, content: '' } };
const show = 'cat /etc/kbs-test/a.yaml 2>/dev/null || echo nothing; ls -d /var/lib/kbs 2>/dev/null || :';

describe.skipIf(lacks('root'))('what must be absent', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  it('is no change where nothing was ever there', async () => {
    expect(await differences(world, gone)).toEqual({});
  });

  it('goes where kbs put it, whatever it holds by now, with all that kbs made for it', async () => {
    await apply(world, [manifest]);
    expect(await differences(world, gone)).toEqual({ there: 'yes' });
    await apply(world, [gone]);
    expect(await differences(world, gone)).toEqual({});
    expect(await world.run(`${show}; ls -d /etc/kbs-test 2>/dev/null || :`)).toBe('nothing\n');
  });

  it("is somebody else's where kbs did not put it there, and stays", async () => {
    await world.run('mkdir /etc/kbs-test; echo theirs > /etc/kbs-test/a.yaml');
    expect(await differences(world, gone)).toEqual({});
  });

  it('gives back what lay there before', async () => {
    await apply(world, [manifest]);
    await apply(world, [gone]);
    expect(await world.run(show)).toBe('theirs\n');
    expect(await differences(world, gone)).toEqual({});
  });
});
