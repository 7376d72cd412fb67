import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failure.js';
import { assignmentOf } from '../../../src/network/assignment.js';
import { type LoadedCluster, loadCluster } from '../../../src/workflows/load-cluster.js';
import {
  pinPodCidrs,
  readRecord,
  recordedAssignment,
  recordPodCidrs,
  requireFreePodCidrs,
  savePins,
} from '../../../src/workflows/run/pod-cidrs.js';

let folder: string;
let file: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-pods-'));
  file = join(folder, 'kbs.yaml');
  said = [];
});

afterEach(() => rmSync(folder, { recursive: true }));

const say = (text: string): void => {
  said.push(text);
};

/** `s0 10 100`: a segment and the last numbers of its workers; the first of all is the control plane. */
const inventory = (...segments: readonly string[]): string => {
  const rows = segments.map((words) => words.split(' '));
  return `apiVersion: kbs/v1
cluster: grown
kubernetes: { version: 1.36.3 }
network:
  segments:
${rows.map(([name = '']) => `    ${name}: { cidr: 172.16.${name.slice(1)}.0/24, gateway: 172.16.${name.slice(1)}.1 }\n`).join('')}hosts: # which pods are where
${rows.flatMap(([name = '', ...last]) => last.map((n) => `  ${name}-${n}: { address: 172.16.${name.slice(1)}.${n}, roles: [worker] }\n`)).join('')}`.replace(
    '[worker]',
    '[control-plane]',
  );
};

const write = (...segments: readonly string[]): Promise<LoadedCluster> => {
  writeFileSync(file, inventory(...segments));
  return loadCluster(file);
};

/** Decides and writes, as a run does. */
const keep = async (loaded: LoadedCluster, tell: typeof say): Promise<LoadedCluster> =>
  savePins(await pinPodCidrs(loaded, await readRecord(loaded.state)), tell);

/** The inventory as a run left it. */
const ran = async (...segments: readonly string[]): Promise<LoadedCluster> => {
  const opened = await keep(await write(...segments), say);
  await recordPodCidrs(opened);
  return opened;
};

const pods = ({ cluster }: LoadedCluster): Readonly<Record<string, string>> => assignmentOf(cluster).hosts;

describe('nodes keep their pods', () => {
  it('without a record nothing is pinned, and the first run writes one', async () => {
    const opened = await ran('s0 10 100');
    expect(said).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(inventory('s0 10 100'));
    expect(JSON.parse(readFileSync(join(folder, '.kbs/grown/pod-cidrs.json'), 'utf8'))).toEqual({
      segments: { s0: '10.244.0.0/18' },
      hosts: { 's0-10': '10.244.10.0/24', 's0-100': '10.244.36.0/24' },
    });
    expect(opened.cluster.name).toBe('grown');
  });

  it('nothing is pinned where no node would move', async () => {
    await ran('s0 10 100', 's1 10');
    await ran('s0 10 100 101', 's1 10 11', 's2 10');
    expect(said).toEqual([]);
  });

  it('when a fifth segment halves the parts, as long as there is room for pins on segments', async () => {
    const before = pods(await ran('s0 10 100', 's1 10 100', 's2 100'));
    const after = await keep(await write('s0 10 100', 's1 10 100', 's2 100', 's3 10', 's4 10'), say);
    expect(pods(after)).toMatchObject(before);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('s1: { cidr: 172.16.1.0/24, gateway: 172.16.1.1, pods: 10.244.64.0/18 }');
    expect(text).toContain('# which pods are where');
    expect(text).not.toContain('podCIDR');
    expect(said).toEqual([
      `${file}: pinned what would have changed otherwise: network.segments.s0.pods: 10.244.0.0/18, network.segments.s1.pods: 10.244.64.0/18, network.segments.s2.pods: 10.244.128.0/18`,
    ]);
  });

  it('when a fifth segment halves the parts of a network that was full: then its hosts are pinned', async () => {
    const before = pods(await ran('s0 10 100', 's1 10', 's2 100', 's3 10 20'));
    const after = await keep(await write('s0 10 100', 's1 10', 's2 100', 's3 10 20', 's4 10'), say);
    expect(pods(after)).toMatchObject(before);
    expect(readFileSync(file, 'utf8')).toMatch(/s0-100: \{ .*, podCIDR: 10\.244\.36\.0\/24 \}/);
    expect(said).toHaveLength(1);
  });

  it('when a new host wants the place of an old one', async () => {
    const before = pods(await ran('s0 10 74'));
    expect(before).toEqual({ 's0-10': '10.244.10.0/24', 's0-74': '10.244.11.0/24' });
    const after = await keep(await write('s0 10 74 75', 's1 11'), say);
    expect(pods(after)).toMatchObject(before);
    expect(said).toEqual([`${file}: pinned what would have changed otherwise: hosts.s0-74.podCIDR: 10.244.11.0/24`]);
  });

  it('and what was written once is not written again', async () => {
    await ran('s0 10 74');
    const after = await keep(await write('s0 10 74 75'), say);
    await recordPodCidrs(after);
    const text = readFileSync(file, 'utf8');
    said = [];
    expect(pods(await keep(await loadCluster(file), say))).toEqual(pods(after));
    expect(said).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('a dry run', () => {
  it('shows the same cluster and writes nothing', async () => {
    const before = pods(await ran('s0 10 74'));
    const opened = await write('s0 10 74 75');
    const text = readFileSync(file, 'utf8');
    const { loaded: pinned, pins } = await pinPodCidrs(opened, await readRecord(opened.state));
    expect(pods(pinned)).toMatchObject(before);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(pins).toEqual(['hosts.s0-74.podCIDR: 10.244.11.0/24']);
    expect(pods(await keep(opened, say))).toEqual(pods(pinned));
  });
});

describe('the decision and its writing', () => {
  it('are apart: the decision writes nothing, and what is saved is what was decided', async () => {
    const before = assignmentOf((await ran('s0 10 74')).cluster);
    const opened = await write('s0 10 74 75', 's1 11');
    const text = readFileSync(file, 'utf8');
    const pinned = await pinPodCidrs(opened, before);
    expect(pinned.pins).toEqual(['hosts.s0-74.podCIDR: 10.244.11.0/24']);
    expect(readFileSync(file, 'utf8')).toBe(text);
    const saved = await savePins(pinned, say);
    expect(readFileSync(file, 'utf8')).toBe(pinned.text);
    expect(saved.cluster).toEqual((await loadCluster(file)).cluster);
    expect(saved.unsaved).toBeUndefined();
  });

  it('hold for an inventory that is in memory only', async () => {
    const before = assignmentOf((await ran('s0 10 74')).cluster);
    const pinned = await pinPodCidrs(await loadCluster(file, inventory('s0 10 74 75')), before);
    expect(pinned.text).toContain('s0-75');
    expect(pods(pinned.loaded)).toMatchObject(before.hosts);
  });

  it('are nothing where nothing is to be kept', async () => {
    const opened = await write('s0 10 74 75');
    expect(await pinPodCidrs(opened, undefined)).toEqual({ loaded: opened, pins: [], text: '' });
  });
});

describe('a record that is missing', () => {
  const kept = { segments: { s0: '10.244.0.0/18' }, hosts: { 's0-74': '10.244.11.0/24' } };
  const nodes = new Map([
    ['s0-10', ['10.244.10.0/24']],
    ['s0-74', ['10.244.11.0/24']],
  ]);
  const neverAsked = () => Promise.reject(new Error('the cluster was asked'));

  it('is rebuilt from the Nodes, so that a node does not give its pod CIDR to a newcomer', async () => {
    const before = pods(await ran('s0 10 74'));
    rmSync(join(folder, '.kbs'), { recursive: true });
    const opened = await write('s0 10 74 75');
    expect(pods(opened)['s0-74']).not.toBe(before['s0-74']);
    const recorded = JSON.stringify({ segments: kept.segments, hosts: {} });
    const found = await recordedAssignment(opened.state, async () => ({ state: 'answered', nodes, recorded }));
    expect(pods((await pinPodCidrs(opened, found)).loaded)).toMatchObject(before);
  });

  it('is rebuilt without segments where the cluster has no record either', async () => {
    const opened = await write('s0 10 74 75');
    const found = await recordedAssignment(opened.state, async () => ({ state: 'answered', nodes }));
    expect((await pinPodCidrs(opened, found)).pins).toEqual(['hosts.s0-74.podCIDR: 10.244.11.0/24']);
  });

  it('means that there is nothing to keep where nothing is installed', async () => {
    expect(await recordedAssignment(folder, async () => ({ state: 'not installed' }))).toBeUndefined();
  });

  it('stops the run where the cluster does not answer: nodes may be running', async () => {
    const asked = recordedAssignment(folder, async () => ({ state: 'not answered', reason: 'c1: refused' }));
    await expect(asked).rejects.toMatchObject({
      code: 'refused',
      message: 'cannot tell which pod CIDRs the nodes of the cluster have',
      why: [`${folder}/pod-cidrs.json is missing, and no API server answers`, 'c1: refused'],
    });
  });

  it('is asked of the cluster only then', async () => {
    const opened = await ran('s0 10 74');
    expect(await recordedAssignment(opened.state, neverAsked)).toEqual(assignmentOf(opened.cluster));
  });
});

describe('a plan that contradicts the Nodes of the cluster is refused', () => {
  const answered = (nodes: Readonly<Record<string, string>>) =>
    ({ state: 'answered', nodes: new Map(Object.entries(nodes).map(([name, cidr]) => [name, [cidr]])) }) as const;

  it('where two copies of an inventory each add a worker that gets the same pod CIDR', async () => {
    await ran('s0 10');
    const first = await write('s0 10 20');
    const inCluster = answered(pods(first));
    writeFileSync(file, inventory('s0 10 84'));
    const second = await loadCluster(file);
    expect(pods(second)['s0-84']).toBe(pods(first)['s0-20']);
    expect(() => requireFreePodCidrs(second.cluster, inCluster)).toThrow(
      'pod-cidr: s0-84 would get 10.244.20.0/24, which belongs to the Node s0-20',
    );
  });

  it('where a worker was taken out of the file by hand and its Node is still there', async () => {
    const before = answered(pods(await ran('s0 10 20')));
    const { cluster } = await keep(await write('s0 10 84'), say);
    expect(() => requireFreePodCidrs(cluster, before)).toThrow('which belongs to the Node s0-20');
  });

  it('but not where nothing is installed, or where the API server does not answer', async () => {
    const { cluster } = await write('s0 10');
    requireFreePodCidrs(cluster, { state: 'not installed' });
    requireFreePodCidrs(cluster, { state: 'not answered', reason: 'refused' });
    expect(() => requireFreePodCidrs(cluster, answered({ 's0-10': '10.244.99.0/24' }))).toThrow('s0-10 has');
  });
});

describe('what is left alone', () => {
  it('a host that was pinned elsewhere by hand', async () => {
    await ran('s0 10 100');
    const text = inventory('s0 10 100').replace(
      '100, roles: [worker]',
      '100, roles: [worker], podCIDR: 10.244.50.0/24',
    );
    writeFileSync(file, text);
    expect(pods(await keep(await loadCluster(file), say))['s0-100']).toBe('10.244.50.0/24');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('a host that went to another segment, where its old pods could not be reached', async () => {
    await ran('s0 10 100', 's1 10');
    writeFileSync(file, inventory('s0 10 100', 's1 10').replace('172.16.0.100', '172.16.1.100'));
    const after = await keep(await loadCluster(file), say);
    expect(pods(after)['s0-100']).toBe('10.244.100.0/24');
    expect(said).toEqual([]);
  });

  it('a segment with another name has the same pods as before', async () => {
    const before = pods(await ran('s0 10 100', 's1 10 100'));
    writeFileSync(file, inventory('s0 10 100', 's1 10 100').replace('    s1:', '    attic:'));
    expect(pods(await keep(await loadCluster(file), say))).toEqual(before);
  });
});

describe('what cannot be', () => {
  it('another pod network is refused, with what it would move, and nothing is written', async () => {
    await ran('s0 10 100');
    const text = inventory('s0 10 100').replace('network:\n', 'network:\n  pods: 10.99.0.0/16\n');
    writeFileSync(file, text);
    const error = await keep(await loadCluster(file), say).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({
      code: 'inventory',
      message: 'nodes cannot keep the pod CIDRs that they have in the cluster',
      why: [
        's0-10 has 10.244.10.0/24 and would get 10.99.10.0/24',
        's0-100 has 10.244.36.0/24 and would get 10.99.36.0/24',
        'hosts.s0-10.podCIDR: 10.244.10.0/24 is outside network.pods, 10.99.0.0/16; write a part of that',
        'hosts.s0-100.podCIDR: 10.244.36.0/24 is outside network.pods, 10.99.0.0/16; write a part of that',
      ],
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('a record that cannot be read is refused, and not taken for a missing one', async () => {
    const opened = await ran('s0 10');
    for (const text of ['{', '[]', '{"hosts":{"a":1},"segments":{}}']) {
      writeFileSync(join(opened.state, 'pod-cidrs.json'), text);
      await expect(recordedAssignment(opened.state, async () => ({ state: 'not installed' }))).rejects.toThrow(
        'does not say which nodes have which pod CIDRs',
      );
    }
  });
});
