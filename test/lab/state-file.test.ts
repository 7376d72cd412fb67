import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findHosts } from '../../src/lab/find.js';
import {
  labDelay,
  labHeal,
  labHosts,
  labPartition,
  labSsh,
  labState,
  labStatus,
  labUp,
  readLabOverlay,
} from '../../src/lab/index.js';
import type { LabRecord } from '../../src/lab/lab.js';
import { requireIdle, upProcess } from '../../src/lab/lock.js';
import { labFolder, type Places, recordFile } from '../../src/lab/paths.js';
import { specOf } from '../../src/lab/spec.js';
import { readRecord, writeRecord } from '../../src/lab/state-file.js';
import { clusterOf, hostOf } from '../support/cluster.js';

describe('the record of a lab', () => {
  let places: Places;

  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kbs-labs-'));
    places = { home: join(folder, 'home'), cache: join(folder, 'cache') };
  });

  afterEach(() => rm(join(places.home, '..'), { recursive: true }));

  const note = async (name: string, more: Partial<LabRecord> = {}): Promise<LabRecord> => {
    const record = {
      name,
      state: '/state',
      since: '2026-01-01T00:00:00Z',
      complete: true,
      spec: specOf(clusterOf()),
      ...more,
    };
    await mkdir(labFolder(places, name), { recursive: true });
    await writeRecord(places, record);
    return record;
  };

  test('comes back as it was written', async () => {
    const record = await note('one');
    expect(await readRecord(places, 'one')).toEqual(record);
  });

  test('is nothing where there is no lab, or half a record', async () => {
    await note('half');
    await writeFile(recordFile(places, 'half'), '{"name": "ha');
    expect([await readRecord(places, 'none'), await readRecord(places, 'half')]).toEqual([undefined, undefined]);
    expect(await labStatus(places)).toEqual([]);
  });

  test('finds a host by name, by LAB/HOST, and all hosts of a lab', async () => {
    await note('one');
    const found = async (name: string) => (await findHosts(places, name)).map(({ lab, host }) => `${lab}/${host.name}`);
    expect(await found('edge')).toEqual(['one/edge']);
    await note('two');
    expect(await found('two/edge')).toEqual(['two/edge']);
    expect(await found('two/all')).toHaveLength(4);
    await expect(found('edge')).rejects.toThrow('edge is in the labs one and two');
    await expect(found('missing')).rejects.toThrow('no lab has a host missing');
    await expect(found('three/edge')).rejects.toThrow('no lab has a host three/edge');
  });

  test('logs in with the key of the lab and trusts its hosts alone', async () => {
    await note('one');
    const argv = await labSsh('edge', 'ops', places);
    expect(argv.at(-1)).toBe('ops@192.168.10.1');
    expect(argv).toEqual(
      expect.arrayContaining(['/state/key', 'UserKnownHostsFile=/state/known_hosts', 'StrictHostKeyChecking=yes']),
    );
  });

  test('shows a lab without its network as broken, with its hosts off', async () => {
    await note('gone');
    const [status] = await labStatus(places);
    expect(status).toMatchObject({ standing: false, lab: { name: 'gone' } });
    expect(status?.hosts.map(({ state }) => state)).toEqual(['off', 'off', 'off', 'off']);
    expect(status).toMatchObject({ partitions: [], delays: [] });
  });

  test('refuses partitions and delays in a lab that is not up', async () => {
    await note('gone');
    const refused = { code: 'usage', message: 'no lab of gone stands on this machine' };
    await expect(labPartition('gone', ['edge'], ['controller-00'], { places })).rejects.toMatchObject(refused);
    await expect(labHeal('gone', undefined, undefined, { places })).rejects.toMatchObject(refused);
    await expect(labDelay('gone', 'rack', 20, places)).rejects.toMatchObject(refused);
    await expect(labHosts('gone', ['all'], places)).rejects.toMatchObject(refused);
  });

  test('gives no SSH settings for an inventory whose lab is not up', async () => {
    const project = join(places.home, 'project');
    const state = labState(project, 'gone');
    await note('gone', { state });
    await mkdir(state, { recursive: true });
    await writeFile(join(state, 'ssh.json'), JSON.stringify({ key: '/k', knownHosts: '/h', addresses: {} }));
    expect(readLabOverlay(project, 'gone', places)).toBeUndefined();
  });

  test('refuses a second up while the first runs, and ignores one that died', async () => {
    const parent = process.ppid;
    const here = await upProcess();
    await requireIdle(await note('mine', { up: here }));
    await requireIdle(await note('dead', { up: { pid: parent, started: 'long ago' } }));
    const theirs = await note('theirs', { up: { pid: parent, started: await startOf(parent) } });
    await expect(requireIdle(theirs)).rejects.toMatchObject({ code: 'locked' });
  });

  test('is refused for an inventory whose host is this machine', async () => {
    const self = hostOf({ name: 'self', address: '192.168.10.10', segment: 'office' });
    const cluster = clusterOf({ hosts: [{ ...self, ssh: { ...self.ssh, transport: 'local' } }] });
    const up = labUp(cluster, { state: '/nowhere', install: false, onProgress: () => undefined, places });
    await expect(up).rejects.toMatchObject({ code: 'usage' });
  });
});

async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
