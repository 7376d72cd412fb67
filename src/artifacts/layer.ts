import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built } from './build/go-modules.js';
import { buildCached, keyOf } from './cache.js';
import { sha256OfFile, through } from './digest.js';
import type { Packer } from './packer.js';
import type { LayerRecipe } from './release.js';
import { type Entry, tarOf } from './tar.js';

/** One layer of an image as a blob on this machine. */
export interface Layer {
  readonly file: string;
  readonly mediaType: string;
  readonly size: number;
  /** Hex sha256 of the blob, and of the tar that it unpacks to. */
  readonly sha256: string;
  readonly diffId: string;
}

/**
 * Makes a layer out of programs and an unpacked package tree, or takes it from the cache. The same inputs give the
 * same bytes, so an image keeps its digest from one build to the next.
 */
export const makeLayer = async (
  recipe: LayerRecipe,
  parts: LayerParts,
): Promise<Layer & { readonly made: boolean }> => {
  const { packer } = parts;
  const entries = await entriesOf(recipe, parts);
  const inputs = {
    entries: entries.map((entry) => ('file' in entry ? { ...entry, file: '' } : entry)),
    programs: Object.values(recipe.programs).map((name) => parts.program(name).key),
    packages: recipe.packages.length > 0 ? parts.packages?.key : '',
    packer: packer.key,
  };
  const name = `layer.tar${packer.suffix}`;
  const { folder, made } = await buildCached(parts.cache, keyOf(`layer-${recipe.name}`, inputs), async (folder) => {
    const blob = join(folder, name);
    const diff = createHash('sha256');
    await packer.pack(through(tarOf(entries), diff), blob);
    const { size } = await stat(blob);
    const layer = { size, sha256: await sha256OfFile(blob), diffId: diff.digest('hex') };
    await writeFile(join(folder, 'layer.json'), JSON.stringify(layer));
  });
  const layer: Omit<Layer, 'file' | 'mediaType'> = JSON.parse(await readFile(join(folder, 'layer.json'), 'utf8'));
  return { ...layer, mediaType: packer.layerType, file: join(folder, name), made };
};

export interface LayerParts {
  readonly cache: string;
  readonly packer: Packer;
  readonly program: (name: string) => Built;
  /** The tree below which the recipe's packages were unpacked, and a name for its content. */
  readonly packages?: { readonly tree: string; readonly key: string };
}

/** Sorted by path, so that a directory comes before what is in it; links last, after what they share. */
const entriesOf = async (recipe: LayerRecipe, parts: LayerParts): Promise<readonly Entry[]> => {
  const byPath = new Map<string, Entry>();
  const add = (entry: Entry) => {
    for (const parent of parentsOf(entry.path)) {
      if (!byPath.has(parent)) byPath.set(parent, { type: 'directory', path: parent, mode: 0o755 });
    }
    byPath.set(entry.path, entry);
  };
  if (parts.packages && recipe.packages.length > 0) for (const entry of await treeOf(parts.packages.tree)) add(entry);
  if (recipe.baseFiles) for (const entry of baseFiles) add(entry);
  for (const [path, name] of Object.entries(recipe.programs)) {
    add({ type: 'file', path, mode: 0o755, file: parts.program(name).file });
  }
  const sorted = [...byPath.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  return [...sorted, ...Object.entries(recipe.links).map(([path, to]): Entry => ({ type: 'link', path, to }))];
};

/** The few files that programs look for in any root: names of users, the order of name resolution, and /tmp. */
const baseFiles: readonly Entry[] = [
  {
    type: 'text',
    path: '/etc/passwd',
    mode: 0o644,
    text: 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  },
  { type: 'text', path: '/etc/group', mode: 0o644, text: 'root:x:0:\nnogroup:x:65534:\n' },
  { type: 'text', path: '/etc/nsswitch.conf', mode: 0o644, text: 'hosts: files dns\n' },
  { type: 'directory', path: '/run', mode: 0o755 },
  { type: 'directory', path: '/tmp', mode: 0o1777 },
];

const treeOf = async (root: string): Promise<readonly Entry[]> => {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const entries = await Promise.all(
    found.map(async (item): Promise<Entry | undefined> => {
      const file = join(item.parentPath, item.name);
      const path = file.slice(root.length);
      if (unwanted.test(path) || item.isDirectory()) return undefined;
      if (item.isSymbolicLink()) return { type: 'symlink', path, to: await readlink(file) };
      return { type: 'file', path, mode: (await lstat(file)).mode & 0o755, file };
    }),
  );
  const kept = entries.filter((entry) => entry !== undefined);
  return kept.some(({ path }) => path === `/usr/sbin/${xtables}`) ? [...kept, ...alternatives] : kept;
};

/** What no program in a container reads. Copyright notices stay. */
const unwanted =
  /^\/usr\/share\/(?!doc\/[^/]+\/copyright$|iptables|nftables)|\/gconv\/|^\/(usr\/)?lib\/(systemd|udev)|^\/etc\/(init|ld\.so|nftables|default|cron)/;

const xtables = 'xtables-nft-multi';

/** What update-alternatives would link when the packages are installed: iptables over nftables. */
const alternatives: readonly Entry[] = ['iptables', 'ip6tables'].flatMap((family) =>
  ['', '-save', '-restore'].map(
    (suffix): Entry => ({ type: 'symlink', path: `/usr/sbin/${family}${suffix}`, to: xtables }),
  ),
);

const parentsOf = (path: string): readonly string[] => {
  const words = path.split('/').slice(1, -1);
  return words.map((_, index) => `/${words.slice(0, index + 1).join('/')}`);
};
