import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { placeholderArtifacts } from '../src/artifacts/placeholder.js';
import { networkText } from '../src/cli/text/network-text.js';
import { compileRoutes } from '../src/network/routes.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { type Rendering, rendering } from '../src/workflows/render.js';
import { externalInventory, writeEtcdFiles } from './support/external-etcd.js';

/**
 * What the examples come to, file by file, to be read by people. After a change that is meant: npm run goldens
 */
const goldens = fileURLToPath(new URL('goldens/', import.meta.url));
const inventories = fileURLToPath(new URL('../inventories/', import.meta.url));

const opened = (name: string) => loadCluster(join(inventories, `${name}.yaml`));

const rendered = async (name: string): Promise<Rendering> => {
  const example = await opened(name);
  return rendering(example, placeholderArtifacts(example.cluster.kubernetes.version));
};

/** The golden tree of an inventory, path → text; written first where that was asked for. */
const golden = (name: string, wanted: Rendering): Rendering => {
  const folder = join(goldens, name);
  if (process.env.KBS_GOLDENS === 'write') write(folder, wanted);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name: file }) => join(parentPath, file));
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
};

const write = (folder: string, tree: Rendering): void => {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of tree) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};

/** Certificates and keys are placeholders of one line: all of a host's on one page. */
const readable = (tree: Rendering): Rendering => {
  const pages = new Map<string, string>();
  for (const [path, text] of tree) {
    const [host, name] = /^([^/]+)(\/.*\/pki\/.*)$/.exec(path)?.slice(1) ?? [];
    if (name === undefined) pages.set(path, text);
    else pages.set(`${host}/pki.txt`, `${pages.get(`${host}/pki.txt`) ?? ''}${name}\n  ${text}`);
  }
  return pages;
};

/** As plain data in the order of the paths, for a readable difference. */
const sorted = (tree: Rendering): object => Object.fromEntries([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)));

describe.each(['single', 'two-segments', 'ha', 'hard-way', 'gpu', 'web', 'monitored', 'dual-stack'])(
  'the rendering of %s',
  (name) => {
    it('is what the golden files say, and nothing more or less', async () => {
      const tree = readable(await rendered(name));
      expect(sorted(tree)).toEqual(sorted(golden(name, tree)));
    });

    it('holds no secret and no path of this machine', async () => {
      for (const text of (await rendered(name)).values()) {
        expect(text).not.toMatch(/PRIVATE KEY|\(secret /);
        expect(text).not.toContain(inventories);
      }
    });
  },
);

it('the releases of Rancher, and the names that lead to it, are what the golden files say', async () => {
  const isMeant = (path: string) => path.includes('/releases/') || path.endsWith('/zones/hybrid.internal');
  const tree = new Map([...(await rendered('rancher'))].filter(([path]) => isMeant(path)));
  expect(sorted(tree)).toEqual(sorted(golden('rancher', tree)));
});

it('a control plane whose etcd is external is what the golden files say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-render-'));
  mkdirSync(join(folder, 'etcd'));
  await writeEtcdFiles(join(folder, 'etcd'));
  const loaded = await loadCluster(join(folder, 'kbs.yaml'), externalInventory());
  rmSync(folder, { recursive: true });
  const all = readable(rendering(loaded, placeholderArtifacts(loaded.cluster.kubernetes.version)));
  const isMeant = (path: string) =>
    /^cp-0\/(pki\.txt|host\.yaml|objects\/access\.yaml|.*\/kube-apiserver\.yaml)$/.test(path);
  const tree = new Map([...all].filter(([path]) => isMeant(path)));
  expect(sorted(tree)).toEqual(sorted(golden('external-etcd', tree)));
});

it('the network of a hundred hosts is what the golden file says', async () => {
  const { cluster } = await opened('large');
  const routes = compileRoutes(cluster);
  const shown = ['controller-00', 'core', 'worker-2-05'].flatMap((host) => [
    `\n${host}`,
    ...(routes[host] ?? []).map(({ to, via, why }) => `  ${to.padEnd(18)} via ${via.padEnd(14)} ${why}`),
  ]);
  const tree = new Map([['network.txt', `${networkText(cluster)}\n${shown.join('\n')}\n`]]);
  expect(sorted(tree)).toEqual(sorted(golden('large', tree)));
});

test.each(['ha', 'hard-way'])('%s is accepted by the format', async (name) => {
  expect((await opened(name)).cluster.name).toBe(name);
});
