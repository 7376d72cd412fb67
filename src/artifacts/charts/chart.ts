import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { parse } from 'yaml';
import { sha256 } from '../../secret.js';
import type { Chart } from '../artifacts.js';
import { type Entry, tarOf } from '../tar.js';
import { helmIgnores, type Ignores } from './helmignore.js';

/**
 * A Helm chart of this machine: a folder with a Chart.yaml, or what `helm package` makes of one. The same files give the
 * same bytes. Throws an Error that says what is wrong with it.
 */
export const readChart = async (path: string): Promise<Chart> => {
  if (!(await stat(path)).isDirectory()) return chartIn(await readFile(path));
  const tgz = await packChart(path);
  return { ...metadataIn(await readFile(join(path, 'Chart.yaml'), 'utf8')), sha256: sha256(tgz), tgz };
};

/** The chart in an archive that `helm package` has made. Throws as `readChart` does. */
export const chartIn = async (tgz: Uint8Array): Promise<Chart> => {
  const text = (await memberOf(unpacked(tgz), chartFile)) ?? fail('no Chart.yaml is in it');
  return { ...metadataIn(text), sha256: sha256(tgz), tgz };
};

/**
 * What `helm package` takes of a chart's folder, packed here: the machine that kbs runs on has no helm, and the plan of an
 * add-on follows from the bytes, which are the same wherever they are made. Git's own folder stays out in any case.
 */
export const packChart = async (folder: string): Promise<Uint8Array> => {
  const ignores = helmIgnores(await textOf(join(folder, '.helmignore')));
  const top = basename(resolve(folder));
  const paths = await filesBelow(folder, '', (path, isFolder) => path === '.git' || ignores(path, isFolder));
  const entries = paths
    .toSorted((one, other) => (one < other ? -1 : 1))
    .map((path): Entry => ({ type: 'file', path: `${top}/${path}`, mode: 0o644, file: join(folder, path) }));
  const pieces: Uint8Array[] = [];
  for await (const piece of tarOf(entries)) pieces.push(piece);
  return gzipSync(Buffer.concat(pieces), { level: 9 });
};

const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

/** Links are followed, as helm does. A folder that is left out is not looked into. */
const filesBelow = async (top: string, folder: string, ignores: Ignores): Promise<readonly string[]> => {
  const names = await readdir(join(top, folder));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = folder === '' ? name : `${folder}/${name}`;
      const item = await stat(join(top, path));
      if (ignores(path, item.isDirectory())) return [];
      if (item.isDirectory()) return filesBelow(top, path, ignores);
      return item.isFile() ? [path] : fail(`${path} is neither a file nor a folder`);
    }),
  );
  return found.flat();
};

/** The schema of a chart's values, and its own values, as the archive has them; undefined where it has no schema. */
export const schemaIn = async (
  tgz: Uint8Array,
): Promise<{ readonly schema: unknown; readonly values: unknown } | undefined> => {
  if (tgz.length === 0) return undefined;
  const tar = unpacked(tgz);
  const schema = await memberOf(tar, /^[^/]+\/values\.schema\.json$/);
  if (schema === undefined) return undefined;
  return { schema: JSON.parse(schema), values: parse((await memberOf(tar, /^[^/]+\/values\.yaml$/)) ?? '') };
};

const chartFile = /^[^/]+\/Chart\.yaml$/;

const unpacked = (tgz: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(tgz);
  } catch {
    return fail('it is no archive that gzip has packed');
  }
};

const memberOf = async (tar: Uint8Array, path: RegExp): Promise<string | undefined> => {
  const members = Readable.from([tar]).pipe(extract());
  for await (const member of members) {
    if (!path.test(member.header.name)) member.resume();
    else {
      const pieces: Uint8Array[] = [];
      for await (const piece of member) pieces.push(piece as Uint8Array);
      return Buffer.concat(pieces).toString();
    }
  }
  return undefined;
};

/** See https://helm.sh/docs/topics/charts/#the-chartyaml-file */
const metadataIn = (text: string): Pick<Chart, 'name' | 'version'> => {
  const read: unknown = parse(text);
  const { name, version } = typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : {};
  if (typeof name !== 'string' || typeof version !== 'string') return fail('its Chart.yaml names no chart and version');
  return { name, version };
};

const fail = (why: string): never => {
  throw new Error(why);
};
