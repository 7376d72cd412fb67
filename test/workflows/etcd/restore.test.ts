import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { memberData } from '../../../src/phases/control-plane/etcd-member.js';
import { parseSnapshotFacts, stamp } from '../../../src/workflows/etcd/snapshot.js';
import { checkSnapshot } from '../../../src/workflows/etcd/snapshot-file.js';
import { clusterOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-snapshot-'));
afterAll(() => rm(folder, { recursive: true }));

const whole = (size = 1024): Buffer => {
  const content = Buffer.alloc(size, 'k');
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
};

const written = async (bytes: Buffer): Promise<string> => {
  const file = join(folder, 'snapshot.db');
  await writeFile(file, bytes);
  return file;
};

describe('a file', () => {
  it('is a snapshot when it ends with the sum of all that comes before', async () => {
    expect(await checkSnapshot(await written(whole()))).toEqual({
      size: 1056,
      sha256: createHash('sha256').update(Buffer.alloc(1024, 'k')).digest('hex'),
    });
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['nothing but a sum', createHash('sha256').digest()],
    ['cut off', whole().subarray(0, -1)],
    ['cut off at a sector', whole(4096).subarray(0, 1024 + 32)],
    ['damaged', Buffer.concat([Buffer.from('x'), whole().subarray(1)])],
    ["etcd's own data, which have no sum", Buffer.alloc(1024, 'k')],
  ])('is refused when it is %s', async (_, bytes) => {
    await expect(checkSnapshot(await written(bytes))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is no whole snapshot of etcd'),
    });
  });

  it('that is not there is refused too', async () => {
    await expect(checkSnapshot(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'usage' });
  });
});

it('what etcdutl says of a snapshot is read', () => {
  const said = '{"hash":755348741,"revision":3014,"totalKey":506,"totalSize":3346432,"version":"3.7.0"}';
  expect(parseSnapshotFacts(said)).toEqual({ hash: '2d05b505', revision: 3014, keys: 506, size: 3346432 });
});

it('a snapshot is named by the second it was taken, in UTC', () => {
  expect(stamp(new Date('2026-11-21T10:45:38.123+01:00'))).toBe('2026-11-21T09-45-38Z');
});

describe('the data of the first member', () => {
  const cluster = clusterOf();
  const [host] = cluster.hosts;
  if (!host) throw new Error('no host');
  const run = (etcdMember: boolean, snapshot?: string) =>
    memberData(host, { ...contextOf(cluster, { etcdMember }), ...(snapshot === undefined ? {} : { snapshot }) }).run;

  it('come from the snapshot only where no member has data, with revisions above all that clients have seen', () => {
    const script = run(false, '/var/lib/kbs/snapshot.db');
    expect(script).toContain('etcdutl snapshot restore /var/lib/kbs/snapshot.db --name=controller-00');
    expect(script).toContain('--bump-revision=1000000000 --mark-compacted');
    expect(run(false)).not.toContain('etcdutl');
    expect(run(true, '/var/lib/kbs/snapshot.db')).not.toContain('snapshot');
  });

  it('are not those of an empty etcd where a restore was begun', () => {
    const script = run(false);
    expect(script).toContain('[ -e /var/lib/kbs/snapshot.db ]');
    expect(script.indexOf('a restore was begun here')).toBeLessThan(script.indexOf('/usr/local/bin/etcd '));
    expect(run(false, '/var/lib/kbs/snapshot.db')).not.toContain('a restore was begun here');
  });
});
