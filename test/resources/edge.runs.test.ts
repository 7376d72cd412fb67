import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sh } from '../../src/hosts/shell.js';
import { kindOf } from '../../src/resources/registry.js';
import type { FileResource, Resource } from '../../src/resources/resource.js';
import { Secret, sha256 } from '../../src/secret.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences, observed, remove } from './reconcile.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-edge-'));
afterAll(() => rm(folder, { recursive: true }));

const artifact = async (name: string, size: number) => {
  const content = randomBytes(size);
  const file = join(folder, name);
  await writeFile(file, content);
  return { name, sha256: sha256(content), size, file, packedSize: size, packing: 'none' } as const;
};

describe.skipIf(lacks('root'))('on a real shell', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  describe('a step that fails half way', () => {
    const file: FileResource = { kind: 'file', path: '/etc/kbs-edge/dir/file', content: 'new\n', mode: '0640' };
    const commands = ['chmod', 'chown', 'cp', 'mkdir', 'mv', 'rm', 'stat', 'wc'];

    it.each(commands)(
      'leaves the old thing or the new one where %s fails, and is made good by the next run',
      async (command) => {
        const binary: Resource = {
          kind: 'binary',
          path: '/opt/kbs-edge/tool',
          content: await artifact('tool', 20_000),
        };
        for (const resource of [file, binary]) {
          const old = `/usr/bin/printf 'old\\n'`;
          await world.run(
            `mkdir -p "$(dirname ${resource.path})"; ${old} > ${resource.path}; chmod 600 ${resource.path}`,
          );
          const [made] = kindOf(resource).apply(resource, await observed(world, resource));
          if (!made) throw new Error('nothing to make');
          await world.run(
            `printf '#!/bin/sh\\nexit 1\\n' > /usr/local/sbin/${command}; /bin/chmod +x /usr/local/sbin/${command}`,
          );
          const outcome = await world.run(made.script, made.payloads).catch((error: unknown) => error);
          await world.run(`/bin/rm /usr/local/sbin/${command}`);
          const content = await world.run(`sha256sum < ${resource.path} | cut -c 1-64`);
          const wanted = resource.kind === 'file' ? sha256('new\n') : binary.content.sha256;
          expect([sha256('old\n'), wanted]).toContain(content.trim());
          if (content.trim() !== wanted) expect(outcome).toBeInstanceOf(Error);
          await apply(world, [resource]);
          expect(await differences(world, resource)).toEqual({});
          await remove(world, [resource]);
          expect(await world.run(`stat -c %a ${resource.path}; cat ${resource.path}`)).toBe('600\nold\n');
        }
        await world.run('/bin/rm -r /etc/kbs-edge /opt/kbs-edge');
      },
    );

    it('replaces no file with content that arrived only in part', async () => {
      const [made] = kindOf(file).apply(file, undefined);
      await expect(world.run(made?.script ?? '', [{ bytes: Buffer.from('ne') }])).rejects.toThrow('exit 1');
      expect(await observed(world, file)).toEqual({ touched: 'yes' });
    });

    it('refuses an artifact whose content has another size than the catalogue says', async () => {
      const content = { ...(await artifact('short', 10)), size: 11 };
      const tool: Resource = { kind: 'binary', path: '/opt/kbs-edge/tool', content };
      await expect(apply(world, [tool])).rejects.toThrow('short came as 10 bytes instead of 11');
      expect(await world.run('ls /opt/kbs-edge')).toBe('');
    });
  });

  it('a file that was as desired before kbs is neither changed nor removed', async () => {
    const file: Resource = { kind: 'file', path: '/etc/kbs-right', content: 'right\n', mode: '0644' };
    await world.run('echo right > /etc/kbs-right');
    expect(await apply(world, [file])).toBe(0);
    expect(await remove(world, [file])).toBe(0);
    expect(await world.run('cat /etc/kbs-right')).toBe('right\n');
  });

  it('a secret file is never readable by other users, also while it is written', async () => {
    const file: Resource = { kind: 'file', path: '/etc/kbs-hush', content: new Secret('hush'), mode: '0600' };
    await world.run(`printf '#!/bin/sh\\nstat -c %%a /etc/.kbs-hush.* >> /run/modes; exec /bin/chown "$@"\\n' > /usr/local/sbin/chown
chmod +x /usr/local/sbin/chown`);
    await apply(world, [file]);
    await world.run('rm /usr/local/sbin/chown');
    expect(await world.run('cat /run/modes')).toBe('600\n');
  });

  it.each(['file', 'binary'] as const)('a directory where a %s should be is refused and kept', async (kind) => {
    const content = await artifact('in-the-way', 5);
    const resource: Resource =
      kind === 'file'
        ? { kind, path: `/srv/${kind}`, content: '', mode: '0644' }
        : { kind, path: `/srv/${kind}`, content };
    await world.run(`mkdir -p /srv/${kind}; echo mine > /srv/${kind}/mine`);
    expect((await observed(world, resource))?.type).toBe('not a file');
    await expect(apply(world, [resource])).rejects.toThrow('cannot overwrite directory');
    expect(await world.run(`cat /srv/${kind}/mine`)).toBe('mine\n');
  });

  it('a file where a directory should be is refused and kept', async () => {
    const resource: Resource = { kind: 'directory', path: '/srv/plain', mode: '0755' };
    await world.run('echo mine > /srv/plain');
    expect((await observed(world, resource))?.type).toBe('not a directory');
    await expect(apply(world, [resource])).rejects.toThrow('File exists');
    expect(await world.run('cat /srv/plain')).toBe('mine\n');
  });

  it('a directory that kbs created is removed with its contents, but not with what is mounted there', async () => {
    const resource: Resource = { kind: 'directory', path: '/srv/made', mode: '0755' };
    await apply(world, [resource]);
    await world.run('mkdir -p /srv/made/mount; mount -t tmpfs tmpfs /srv/made/mount; echo mine > /srv/made/mount/mine');
    await expect(remove(world, [resource])).rejects.toThrow('/srv/made/mount');
    expect(await world.run('cat /srv/made/mount/mine; umount /srv/made/mount')).toBe('mine\n');
    await remove(world, [resource]);
    expect(await observed(world, resource)).toBeUndefined();
  });

  it('a directory that kbs created and on which a disk was mounted is emptied, and stays mounted', async () => {
    const resource: Resource = { kind: 'directory', path: '/srv/disk', mode: '0755' };
    await apply(world, [resource]);
    await world.run(`mount -t tmpfs tmpfs /srv/disk; cd /srv/disk
mkdir lost+found snapshots; echo found > lost+found/1; echo ours > snapshots/1`);
    await remove(world, [resource]);
    expect(await world.run('mountpoint /srv/disk; cd /srv/disk; find . | sort')).toBe(
      '/srv/disk is a mountpoint\n.\n./lost+found\n./lost+found/1\n',
    );
    expect(await remove(world, [resource]), 'nothing is left to remove').toBe(0);
    await world.run('umount /srv/disk; rmdir /srv/disk');
  });

  it('files of other programs in a shared directory that kbs created stay', async () => {
    const resource: Resource = { kind: 'directory', path: '/srv/deep/modules', mode: '0755', shared: true };
    await apply(world, [resource]);
    await world.run('mkdir /srv/deep/modules/6.1; echo theirs > /srv/deep/modules/6.1/kvm.ko');
    await remove(world, [resource]);
    expect(await world.run('cat /srv/deep/modules/6.1/kvm.ko; rm -r /srv/deep')).toBe('theirs\n');
  });

  it('a directory that was deleted by hand leaves no original behind, and removal does not restore it', async () => {
    const made: Resource = { kind: 'directory', path: '/srv/gone/made', mode: '0755' };
    const found: Resource = { kind: 'directory', path: '/srv/found', mode: '0700' };
    await world.run('mkdir /srv/found');
    await apply(world, [made, found]);
    await world.run('rmdir /srv/gone/made /srv/found');
    await remove(world, [made, found]);
    expect(
      await world.run(
        'ls -d /srv/gone /srv/found /var/lib/kbs/before/srv-gone* /var/lib/kbs/before/srv-found* 2>/dev/null || :',
      ),
    ).toBe('');
  });

  it('a line of /etc/hosts is still there after cloud-init wrote the file from its template', async () => {
    const entry: Resource = { kind: 'hosts-entry', address: '192.0.2.100', names: ['api.lan'] };
    await world.run(
      'mkdir -p /etc/cloud/templates; echo "127.0.0.1 localhost" > /etc/cloud/templates/hosts.debian.tmpl',
    );
    await apply(world, [entry]);
    await world.run('cat /etc/cloud/templates/hosts.debian.tmpl > /etc/hosts');
    expect(await differences(world, entry)).toEqual({});
    await remove(world, [entry]);
    expect(await world.run('cat /etc/hosts; rm -r /etc/cloud')).toBe('127.0.0.1 localhost\n');
  });

  it('a feature that is built into the kernel is left as it is', async () => {
    const resource: Resource = { kind: 'kernel-module', name: 'overlay', check: sh`grep -qw proc /proc/filesystems` };
    expect(await differences(world, resource)).toEqual({});
    expect(await remove(world, [resource])).toBe(0);
  });

  it('a module that cannot be loaded is refused with its reason', async () => {
    const resource: Resource = { kind: 'kernel-module', name: 'no-such', check: sh`false` };
    await world.run(`printf '#!/bin/sh\\necho "FATAL: Module $1 not found" >&2; exit 1\\n' > /usr/local/sbin/modprobe
chmod +x /usr/local/sbin/modprobe`);
    expect(await observed(world, resource)).toBeUndefined();
    await expect(apply(world, [resource])).rejects.toThrow('FATAL: Module no-such not found');
    await world.run('ls /etc/modules-load.d/kbs-no-such.conf').then(
      () => expect.fail('listed for the next boot'),
      () => undefined,
    );
  });

  it('a sysctl that the kernel does not have is absent, and cannot be set', async () => {
    const resource: Resource = { kind: 'sysctl', name: 'net.ipv4.no_such', value: '1' };
    expect(await observed(world, resource)).toBeUndefined();
    await expect(apply(world, [resource])).rejects.toThrow('no_such');
  });

  it('a host without containerd and kubectl has no images and no objects', async () => {
    await world.run('rm -f /usr/local/bin/ctr /usr/local/bin/kubectl');
    const images: Resource = { kind: 'image', name: 'node', archives: [] };
    const objects: Resource = { kind: 'object', name: 'some', objects: [], kubeconfig: '/etc/kubernetes/admin.conf' };
    expect(await observed(world, images)).toBeUndefined();
    expect(await observed(world, objects)).toBeUndefined();
  });

  it('a task that fails is an error', async () => {
    const resource: Resource = { kind: 'task', name: 'fails', check: sh`false`, run: sh`echo why >&2; false; echo on` };
    await expect(apply(world, [resource])).rejects.toThrow('why');
  });
});
