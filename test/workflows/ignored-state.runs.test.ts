import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { journal } from '../../src/cli/events/journal.js';
import { openPool } from '../../src/hosts/pool.js';
import { makeOperatorKey } from '../../src/lab/access.js';
import { labState } from '../../src/lab/overlay.js';
import { ensureKeyring, keyringDirectory } from '../../src/pki/keyring.js';
import { makePrivateFolder } from '../../src/private-folder.js';
import { fetchSnapshot } from '../../src/workflows/etcd/snapshot.js';
import { keepKubeconfig } from '../../src/workflows/kubeconfig.js';
import { type LoadedCluster, loadCluster } from '../../src/workflows/load-cluster.js';
import { render } from '../../src/workflows/render.js';
import { holdingLock } from '../../src/workflows/run/lock.js';
import { recordPodCidrs } from '../../src/workflows/run/pod-cidrs.js';
import { dealtRandomness } from '../pki/keys.js';

let project: string;
let cluster: LoadedCluster;

beforeEach(async () => {
  project = mkdtempSync(join(tmpdir(), 'kbs-ignored-'));
  execFileSync('git', ['init', '-q'], { cwd: project });
  const example = fileURLToPath(new URL('../../inventories/single.yaml', import.meta.url));
  writeFileSync(join(project, 'kbs.yaml'), readFileSync(example));
  cluster = await loadCluster(join(project, 'kbs.yaml'));
});

afterEach(() => rmSync(project, { recursive: true }));

const keyring = async () =>
  ensureKeyring(
    keyringDirectory(cluster.inventory, cluster.cluster.name),
    cluster.cluster,
    new Date(),
    await dealtRandomness(23),
  );

const snapshotTo = async (file: string): Promise<void> => {
  const path = join(tmpdir(), `kbs-snapshot-${process.pid}`);
  writeFileSync(path, 'a snapshot');
  const pool = openPool();
  const ssh = { transport: 'local', address: '127.0.0.1', port: 22, user: 'root', become: 'none' } as const;
  const host = pool.host({ name: 'here', ssh: { ...ssh, keys: [], knownHosts: '' } });
  try {
    const sha256 = createHash('sha256').update('a snapshot').digest('hex');
    await fetchSnapshot(host, { path, size: 10, sha256 }, file, {});
  } finally {
    await pool.close();
    rmSync(path);
  }
};

/** All that kbs writes beside an inventory: name → what writes it, alone in a folder where kbs never ran. */
const writers: Readonly<Record<string, () => Promise<unknown> | unknown>> = {
  'the keyring': keyring,
  'the kubeconfig': async () => keepKubeconfig(cluster, await keyring()),
  'the journal': () => journal(join(cluster.state, 'journal')).close?.(),
  'the lock and its holder': () =>
    holdingLock({ directory: cluster.state, command: 'apply', say: () => {} }, async () => expectIgnored()),
  'the record of pod CIDRs': () => recordPodCidrs(cluster),
  'a snapshot': () => snapshotTo(join(cluster.state, 'snapshots/etcd.db')),
  'a snapshot in a folder of the user that is not there yet': () => snapshotTo(join(project, 'backups/today/etcd.db')),
  "a lab's key": () => makeOperatorKey(labState(project, cluster.cluster.name)),
  'a rendering with secrets': async () => {
    await keyring();
    await render(cluster, join(project, 'rendered'), true);
  },
};

it.each(Object.entries(writers))('git ignores every file of %s', async (_name, write) => {
  await write();
  expectIgnored();
});

it('a rendering without secrets is fit for version control, also after one with them', async () => {
  await keyring();
  await render(cluster, join(project, 'rendered'), true);
  await render(cluster, join(project, 'rendered'), false);
  expect(existsSync(join(project, 'rendered/.gitignore'))).toBe(false);
  expect(git('status', '--porcelain', '-uall').split('\n').length).toBeGreaterThan(10);
});

it('a private folder is for its owner alone, and a .gitignore of the user stays as it is', () => {
  mkdirSync(join(project, '.kbs'));
  writeFileSync(join(project, '.kbs/.gitignore'), '*.jsonl\n');
  makePrivateFolder(join(project, '.kbs/c/journal'));
  expect(readFileSync(join(project, '.kbs/.gitignore'), 'utf8')).toBe('*.jsonl\n');
  expect(statSync(join(project, '.kbs/c/journal')).mode & 0o777).toBe(0o700);
});

/** What was written, and nothing of it would be added. */
function expectIgnored(): void {
  const files = readdirSync(project, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(project, join(parentPath, name)))
    .filter((path) => path !== 'kbs.yaml' && dirname(path).split('/')[0] !== '.git');
  expect(files.length).toBeGreaterThan(1);
  const { stdout } = spawnSync('git', ['check-ignore', '--stdin'], {
    cwd: project,
    input: files.join('\n'),
    encoding: 'utf8',
  });
  expect(files.filter((path) => !stdout.split('\n').includes(path))).toEqual([]);
  expect(git('add', '-A', '-n')).toBe("add 'kbs.yaml'\n");
}

function git(...args: readonly string[]): string {
  return execFileSync('git', [...args], { cwd: project, encoding: 'utf8' });
}
