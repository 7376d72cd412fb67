import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '../../src/artifacts/artifacts.js';
import { parseRecords, recordOf } from '../../src/resources/record.js';
import type { Resource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { contracts } from './contracts.js';
import { daemon, repository } from './debs.js';
import { createWorld, type World } from './overlay-host.js';
import { allDifferences, apply, remove } from './reconcile.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-contract-'));
afterAll(() => rm(folder, { recursive: true }));

const stored = async (name: string, content: Buffer, packing: StoredFile['packing']): Promise<StoredFile> => {
  const packed = packing === 'none' ? content : gzipSync(content);
  const file = join(folder, name);
  await writeFile(file, packed);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, sha256, size: content.length, file, packedSize: packed.length, packing };
};

const cases = contracts({
  plain: await stored('unzstd', Buffer.from('#!/bin/sh\nexec gzip -d\n'), 'none'),
  // Its first byte is known, so that another one there is sure to be an edit.
  packed: await stored('tool', Buffer.concat([Buffer.from('#'), randomBytes(300_000)]), 'zstd'),
  repository: await repository(join(folder, 'repository'), daemon('1.0')),
});

describe.skipIf(lacks('root')).each(cases)('$about', ({ resources, given, drifts, shows }) => {
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

const fromRecord = (resource: Resource): readonly Resource[] =>
  parseRecords(recordOf({ cluster: 'c', phase: 'p' }, resource) ?? '').map(({ resource: known }) => {
    if (!known) throw new Error(`the record of a ${resource.kind} is not understood`);
    return known;
  });
