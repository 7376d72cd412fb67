import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PublishedFile } from '../../src/artifacts/artifacts.js';
import { sha256OfFile } from '../../src/artifacts/digest.js';
import { publishedArtifacts } from '../../src/artifacts/published.js';
import { defined } from '../../src/defined.js';
import { kindOf } from '../../src/resources/registry.js';
import type { BinaryResource } from '../../src/resources/resource.js';
import { sha256 } from '../../src/secret.js';
import { type FaultyMirror, serveFaultily } from '../support/faulty-mirror.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences, observed, remove } from './reconcile.js';

const large = 300_000;

describe.skipIf(lacks('root')).each(['curl', 'wget'] as const)('a host that downloads by %s', (program) => {
  let folder: string;
  let world: World;
  let server: FaultyMirror;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbs-downloads-'));
    await writeFile(join(folder, 'tool'), randomBytes(large));
    await mkdir(join(folder, 'tree/bin'), { recursive: true });
    for (const each of ['one', 'two']) await writeFile(join(folder, 'tree/bin', each), `the program ${each}\n`);
    const tar = ['-C', join(folder, 'tree'), '-czf'];
    await execa('tar', [...tar, join(folder, 'archive.tgz'), 'bin']);
    await execa('tar', [...tar, join(folder, 'dotted.tgz'), '.']);

    world = await createWorld();
    if (program === 'wget') await world.run('rm -f /usr/bin/curl');
    server = await serveFaultily(folder, world);
  });
  beforeEach(async () => {
    server.requests.length = 0;
    await world.run('rm -rf /var/lib/kbs /opt/kbs-test');
  });
  afterAll(async () => {
    await server?.close();
    await world?.end();
    await rm(folder, { recursive: true, force: true });
  });

  const published = async (
    file: string,
    way: string,
    more: { readonly member?: string; readonly sha256?: string; readonly ca?: string | undefined } = {},
  ) =>
    publishedArtifacts(
      {
        binaries: [
          {
            name: 'kubelet',
            url: `https://${server.at}/${way}/${file}`,
            sha256: more.sha256 ?? (await sha256OfFile(join(folder, file))),
            saidBy: 'what is pinned',
            member: more.member,
          },
        ],
        images: [],
      },
      { arch: 'amd64', way: defined({ ca: 'ca' in more ? more.ca : server.certificate }), mirrors: {} },
    ).binary('kubelet');

  const resource = (path: string, content: PublishedFile | undefined): BinaryResource => {
    if (content === undefined) throw new Error('nothing is published');
    return { kind: 'binary', path, content };
  };
  const tool = async (...how: Parameters<typeof published>) => resource('/opt/kbs-test/tool', await published(...how));

  const refused = async (wanted: BinaryResource): Promise<string> =>
    apply(world, [wanted]).then(
      () => 'nothing was refused',
      (error: unknown) => String(error),
    );
  const kept = async () => (await world.run('ls /var/lib/kbs/downloads 2>/dev/null || :')).split('\n').filter(Boolean);

  it('has the very file, and nothing that it came by', async () => {
    const wanted = await tool('tool', 'whole');
    await apply(world, [wanted]);
    expect(await differences(world, wanted)).toEqual({});
    expect(await world.run('sha256sum < /opt/kbs-test/tool | cut -c -64')).toBe(`${wanted.content.sha256}\n`);
    expect(await kept()).toEqual([]);
    expect(server.requests).toHaveLength(1);
    await remove(world, [wanted]);
    expect(await world.run('ls -d /var/lib/kbs /opt/kbs-test/tool 2>/dev/null || :')).toBe('');
  });

  it('has the same as a host that it was sent to', async () => {
    const wanted = await tool('tool', 'whole');
    await apply(world, [wanted]);
    const file = join(folder, 'tool');
    const digest = await sha256OfFile(file);
    const sent = { name: 'tool', sha256: digest, size: large, file, packedSize: large, packing: 'none' } as const;
    expect(await differences(world, { ...wanted, content: sent })).toEqual({});
  });

  it.each(['archive.tgz', 'dotted.tgz'])('downloads %s once for all that it takes out of it', async (archive) => {
    const wanted = await Promise.all(
      ['one', 'two'].map(async (name) =>
        resource(`/opt/kbs-test/${name}`, await published(archive, 'whole', { member: `bin/${name}` })),
      ),
    );
    await apply(world, wanted);
    for (const each of wanted) expect(await differences(world, each)).toEqual({});
    expect(await world.run('cat /opt/kbs-test/one /opt/kbs-test/two')).toBe('the program one\nthe program two\n');
    expect(server.requests).toHaveLength(1);
    await world.run('touch /opt/kbs-test/one; chmod 700 /opt/kbs-test/two; echo more >> /opt/kbs-test/one');
    for (const each of wanted) expect(await differences(world, each)).not.toEqual({});
    await apply(world, wanted);
    for (const each of wanted) expect(await differences(world, each)).toEqual({});
    await world.run('touch /opt/kbs-test/one');
    for (const each of wanted) expect(await differences(world, each)).toEqual({});
    await world.run(kindOf(wanted[0] ?? resource('', undefined)).conclude?.(wanted) ?? 'false');
    expect(await kept()).toEqual([]);
  });

  it('takes a program again where another archive is wanted, also one with the same program', async () => {
    const [before, after] = await Promise.all(
      ['archive.tgz', 'dotted.tgz'].map(async (name) => tool(name, 'whole', { member: 'bin/one' })),
    );
    if (!before || !after) throw new Error('nothing is published');
    await apply(world, [before]);
    expect(Object.keys(await differences(world, after))).toEqual(['from']);
    await apply(world, [after]);
    expect(await differences(world, after)).toEqual({});
  });

  it('goes on where the server breaks off', async () => {
    const wanted = await tool('tool', 'breaks');
    await apply(world, [wanted]);
    expect(await differences(world, wanted)).toEqual({});
    expect(server.requests.length).toBeGreaterThan(2);
    expect(server.requests.slice(1).every((request) => !request.endsWith(' -'))).toBe(true);
  });

  it.each(['forgets', 'busy', 'moved'])('has it of a server that %s', async (way) => {
    const wanted = await tool('tool', way);
    await apply(world, [wanted]);
    expect(await differences(world, wanted)).toEqual({});
  });

  it('goes on with what an earlier run has left', async () => {
    const said = await refused(await tool('tool', 'half'));
    expect(said).toMatch(
      /^Error: exit 80: https:\/\/192[.]0[.]2[.]9:8443\/half\/tool could not be downloaded by this host:\n./,
    );
    expect(await kept()).toEqual([`${await sha256OfFile(join(folder, 'tool'))}.partial`]);
    server.requests.length = 0;
    const wanted = await tool('tool', 'whole');
    await apply(world, [wanted]);
    expect(await differences(world, wanted)).toEqual({});
    expect(server.requests).toEqual([`/whole/tool bytes=${large / 2}-`]);
  });

  it('begins anew where what was left is of another file', async () => {
    const digest = await sha256OfFile(join(folder, 'tool'));
    await world.run(
      `mkdir -p /var/lib/kbs/downloads; head -c 1000 /dev/zero > /var/lib/kbs/downloads/${digest}.partial`,
    );
    const wanted = await tool('tool', 'whole');
    await apply(world, [wanted]);
    expect(await differences(world, wanted)).toEqual({});
  });

  it('keeps nothing of another content, and what was there before', async () => {
    await world.run('mkdir -p /opt/kbs-test; echo theirs > /opt/kbs-test/tool');
    const wanted = await tool('tool', 'whole', { sha256: sha256('another') });
    const said = await refused(wanted);
    expect(said).toContain('exit 81: https://192.0.2.9:8443/whole/tool could not be downloaded by this host:');
    expect(said).toMatch(/it has sha256 [0-9a-f]{64}, and what is pinned says [0-9a-f]{64}/);
    expect(await kept()).toEqual([]);
    expect(await world.run('cat /opt/kbs-test/tool')).toBe('theirs\n');
    expect((await observed(world, wanted))?.touched).toBe('no');
  });

  it('says what the server answers, after one question', async () => {
    expect(await refused(await tool('tool', 'missing'))).toMatch(
      /exit 80: .*\/missing\/tool could not .*\n(.*\n)*.*404/,
    );
    expect(server.requests).toHaveLength(1);
  });

  it('says which certificate it does not trust, after one question', async () => {
    expect(await refused(await tool('tool', 'whole', { ca: undefined }))).toMatch(/exit 80: .*\n(.*\n)*.*certificate/i);
    expect(server.requests).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it('says that an archive lacks the program', async () => {
    const wanted = await tool('archive.tgz', 'whole', { member: 'bin/three' });
    expect(await refused(wanted)).toContain('/whole/archive.tgz holds no bin/three');
    expect(await world.run('ls -A /opt/kbs-test')).toBe('');
  });

  it('trusts the authority for the download alone', async () => {
    await apply(world, [await tool('tool', 'whole')]);
    expect(
      await world.run(
        `grep -rl ${server.certificate.split('\n')[2]} /etc/ssl /var/lib/kbs /usr/local/share 2>/dev/null || :`,
      ),
    ).toBe('');
  });

  it.runIf(program === 'curl')('follows no redirect to http', async () => {
    expect(await refused(await tool('tool', 'plain'))).toMatch(/exit 80: .*\n.*http/i);
  });
});
