import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import type { Places } from '../../src/lab/paths.js';
import { requireLab } from '../../src/lab/requirements.js';
import { specOf } from '../../src/lab/spec.js';
import { overrideSysctls, restoreSysctls } from '../../src/lab/sysctls.js';
import { clusterOf } from '../support/cluster.js';

describe('requirements and sysctls of a lab', () => {
  let folder: string;
  let places: Places;
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const set = (name: string, value: string) => writeFile(join(folder, 'sys', name), `${value}\n`);
  const get = async (name: string) => (await readFile(join(folder, 'sys', name), 'utf8')).trim();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbs-sysctls-'));
    places = { home: join(folder, 'home'), cache: join(folder, 'cache') };
    for (const room of ['fs/inotify', 'vm']) await mkdir(join(folder, 'sys', room), { recursive: true });
    await set('fs/inotify/max_user_instances', '128');
    await set('vm/overcommit_memory', '0');
    said.length = 0;
  });

  afterEach(() => rm(folder, { recursive: true }));

  test('missing commands are named all at once with their packages, and nothing is installed', async () => {
    await expect(requireLab(specOf(clusterOf()), false, say, [])).rejects.toMatchObject({
      code: 'preflight',
      why: expect.arrayContaining([
        'the command systemd-nspawn (package systemd-container)',
        'the command debootstrap (package debootstrap)',
        'the command ip (package iproute2)',
      ]),
    });
    expect(said).toEqual([]);
  });

  test.each<readonly [string, Partial<ClusterHost>, readonly string[]]>([
    ['for containers', {}, []],
    ['QEMU for a guest', { lab: { platform: 'vm' } }, ['qemu-system-x86_64 (package qemu-system-x86)']],
    [
      'QEMU for machines and for programs of another architecture',
      { lab: { platform: 'vm', image: 'debian-13-arm64' } },
      ['qemu-system-aarch64 (package qemu-system-arm)'],
    ],
    ['a compiler for GPUs', { gpu: 'nvidia' }, ['gcc (package build-essential)']],
    [
      'no compiler for a guest',
      { gpu: 'nvidia', lab: { platform: 'vm' } },
      ['qemu-system-x86_64 (package qemu-system-x86)'],
    ],
  ])('what one host needs is asked for: %s', async (_, settings, named) => {
    const hosts = clusterOf().hosts.map((host) => (host.name === 'worker-rack-00' ? { ...host, ...settings } : host));
    const refused = await requireLab(specOf(clusterOf({ hosts })), false, say, []).catch((error: Failure) => error);
    const why = refused instanceof Failure ? refused.why.join('\n') : '';
    expect(why.match(/(?:qemu-system|gcc)\S* \(package \S+\)/g) ?? []).toEqual(named);
  });

  test('sysctls are raised or set as kubelets want them, reported, and restored whatever the hosts wrote', async () => {
    await overrideSysctls(places, say, join(folder, 'sys'));
    expect(await get('fs/inotify/max_user_instances')).toBe('1024');
    expect(said).toEqual([expect.stringContaining('128 -> 1024')]);
    expect(await get('vm/overcommit_memory')).toBe('1');
    await set('vm/overcommit_memory', '2');
    await overrideSysctls(places, say, join(folder, 'sys')); // a second lab
    await restoreSysctls(places, join(folder, 'sys'));
    expect([await get('fs/inotify/max_user_instances'), await get('vm/overcommit_memory')]).toEqual(['128', '0']);
  });

  test('a sysctl that is high enough is left alone', async () => {
    await set('fs/inotify/max_user_instances', '8192');
    await overrideSysctls(places, say, join(folder, 'sys'));
    expect([await get('fs/inotify/max_user_instances'), said]).toEqual(['8192', []]);
  });
});
