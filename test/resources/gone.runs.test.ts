import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Resource } from '../../src/resources/resource.js';
import { sha256 } from '../../src/secret.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences, remove } from './reconcile.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-gone-'));
afterAll(() => rm(folder, { recursive: true }));

const bytes = randomBytes(100);
const tool = { name: 'tool', sha256: sha256(bytes), size: 100, file: join(folder, 'tool'), packedSize: 100 };
await writeFile(tool.file, bytes);

interface Case {
  readonly about: string;
  readonly resource: Resource;
  readonly given?: string;
  /** Shell that deletes the resource by hand. */
  readonly gone: string;
  /** What brings back what the kernel has, and not kbs. */
  readonly after?: string;
}

const file = (path: string): Case['resource'] => ({ kind: 'file', path, content: 'ours\n', mode: '0644' });

const cases: readonly Case[] = [
  {
    about: 'a file in folders that kbs made',
    resource: file('/etc/kbs-test/deep/file'),
    gone: 'rm /etc/kbs-test/deep/file',
  },
  {
    about: 'a file in the place of another',
    resource: file('/etc/kbs-test/file'),
    given: 'mkdir /etc/kbs-test; echo theirs > /etc/kbs-test/file',
    gone: 'rm /etc/kbs-test/file',
  },
  {
    about: 'a file in the place of another, with its folder',
    resource: file('/etc/kbs-test/file'),
    given: 'mkdir /etc/kbs-test; echo theirs > /etc/kbs-test/file',
    gone: 'rm -r /etc/kbs-test',
  },
  {
    about: 'a zone in the place of another',
    resource: {
      kind: 'zone',
      path: '/etc/kbs-test/zone',
      content: 'a. 60 IN SOA ns.a. hostmaster.a. @SERIAL@ 60 60 60 60\n',
      serial: 1,
      mode: '0644',
    },
    given: 'mkdir /etc/kbs-test; echo theirs > /etc/kbs-test/zone',
    gone: 'rm /etc/kbs-test/zone',
  },
  {
    about: 'a program with other names',
    resource: {
      kind: 'binary',
      path: '/opt/kbs-test/one',
      content: { ...tool, packing: 'none' },
      links: ['/opt/kbs-test/two', '/srv/three'],
    },
    given: 'echo theirs > /srv/three',
    gone: 'rm /opt/kbs-test/one',
  },
  {
    about: 'a kernel setting whose module is not loaded',
    resource: { kind: 'sysctl', name: 'net.ipv4.conf.mod.rp_filter', value: '2' },
    given: 'ip link add mod type veth peer name doom',
    gone: 'ip link del mod',
    after: 'ip link add mod type veth peer name doom',
  },
];

const shows = `
find /etc/kbs-test /opt /srv /etc/sysctl.d /var/lib/kbs -printf '%p %y %m %l\n' 2>/dev/null | sort
cat /etc/kbs-test/* /srv/three 2>/dev/null || :`;

describe.skipIf(lacks('root')).each(cases)('$about, deleted by hand', ({ resource, given, gone, after }) => {
  let world: World;
  let found: string;
  beforeEach(async () => {
    world = await createWorld();
    await world.run(`mkdir -p /srv; ${given ?? ':'}`);
    found = await world.run(shows);
    await apply(world, [resource]);
    await world.run(gone);
  });
  afterEach(() => world.end());

  it('has its original restored by removal, once', async () => {
    expect(await remove(world, [resource])).toBe(1);
    expect(await world.run(shows)).toBe(found);
    expect(await remove(world, [resource])).toBe(0);
  });

  it('is created again by apply', async () => {
    await world.run(after ?? ':');
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
  });
});

describe.skipIf(lacks('root'))('a sysctl that was applied before its module was loaded', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  it('can be removed', async () => {
    const resource: Resource = { kind: 'sysctl', name: 'net.ipv4.conf.mod.rp_filter', value: '2' };
    const found = await world.run(shows);
    await expect(apply(world, [resource])).rejects.toThrow('mod/rp_filter');
    await world.run('ip link add mod type veth peer name doom');
    await apply(world, [resource]);
    await remove(world, [resource]);
    expect(await world.run(shows)).toBe(found);
  });
});
