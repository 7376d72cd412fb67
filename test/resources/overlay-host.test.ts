import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';

const left = [
  'var/lib/kbs/before/etc-hosts.was',
  'etc/kubernetes/manifests/etcd.yaml',
  'etc/systemd/system/kubelet.service',
  'usr/local/bin/kubectl',
];

it.skipIf(lacks('root'))('a machine on which kbs left files is a host without them', async () => {
  const remains = mkdtempSync(join(tmpdir(), 'kbs-remains-'));
  for (const path of [...left, 'etc/others.conf']) {
    mkdirSync(join(remains, dirname(path)), { recursive: true });
    writeFileSync(join(remains, path), 'left\n');
  }
  mkdirSync(join(remains, 'etc/systemd/system/multi-user.target.wants'));
  symlinkSync('/nowhere', join(remains, 'etc/systemd/system/multi-user.target.wants/kubelet.service'));
  const world = await createWorld({ remains });
  try {
    const found = `ls -d ${left.map((path) => `/${path}`).join(' ')} /var/lib/kbs /etc/kubernetes /etc/others.conf \
/etc/systemd/system/multi-user.target.wants/kubelet.service 2>/dev/null || :`;
    expect(await world.run(found)).toBe('/etc/others.conf\n');
    const before = await ofKbs(world);
    await world.run('mkdir /var/lib/kbs; echo new > /var/lib/kbs/file; cat /var/lib/kbs/file; rm -r /var/lib/kbs');
    expect(await world.run('ls -d /var/lib/kbs 2>/dev/null || :'), 'what is removed does not come back').toBe('');
    expect(await ofKbs(world)).toEqual(before);
  } finally {
    await world.end();
    rmSync(remains, { recursive: true });
  }
});

const ofKbs = async (world: World): Promise<readonly string[]> =>
  (await world.changes()).split('\n').filter((line) => line.includes('var/lib/kbs'));
