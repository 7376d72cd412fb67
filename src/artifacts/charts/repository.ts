import { parse } from 'yaml';
import { isRecord } from '../../secret.js';
import { getUrl } from '../http.js';
import { type FoundChart, mostOfChart, type WantedChart } from './wanted.js';

/**
 * A chart's archive from a repository with an `index.yaml`, https://helm.sh/docs/topics/chart_repository/, and the digest
 * that the index has for it. Throws an Error that says what the repository lacks, or its answer.
 */
export const fromRepository = async ({ repository, name, version }: WantedChart): Promise<FoundChart> => {
  const base = repository.endsWith('/') ? repository : `${repository}/`;
  const index = `${base}index.yaml`;
  const { urls, digest } = entryIn(read(await get(index, mostOfIndex), index), { name, version }, index);
  const [first] = Array.isArray(urls) ? urls : [];
  if (typeof first !== 'string') throw new Error(`${index} has no address of ${name} ${version}`);
  const url = new URL(first, base).href;
  const listed = typeof digest === 'string' ? digest.replace(/^sha256:/, '') : undefined;
  return {
    url,
    tgz: await get(url, mostOfChart),
    ...(listed === undefined ? {} : { digest: { sha256: listed, by: index } }),
  };
};

/** The largest public indexes have about 20 MB. */
const mostOfIndex = 64 * 1024 * 1024;

const get = async (url: string, most: number): Promise<Buffer> => {
  const { status, body } = await getUrl(url, { most });
  if (status !== 200) throw new Error(`${url} answers ${status}`);
  return body;
};

const read = (index: Buffer, url: string): unknown => {
  const text = index.toString();
  try {
    // Much faster, and some repositories write it so.
    return JSON.parse(text);
  } catch {
    try {
      return parse(text, { uniqueKeys: false, maxAliasCount: 0 });
    } catch {
      throw new Error(`${url} is no YAML`);
    }
  }
};

const entryIn = (
  index: unknown,
  { name, version }: Pick<WantedChart, 'name' | 'version'>,
  url: string,
): Readonly<Record<string, unknown>> => {
  const entries = isRecord(index) && isRecord(index.entries) ? index.entries : undefined;
  if (entries === undefined) throw new Error(`${url} is no index of a chart repository`);
  const listed = Object.hasOwn(entries, name) ? entries[name] : undefined;
  const versions = (Array.isArray(listed) ? listed : []).filter(isRecord);
  if (versions.length === 0) throw new Error(`${url} has no chart ${name}`);
  const found = versions.find((each) => isSameVersion(each.version, version));
  if (found !== undefined) return found;
  const some = versions.slice(0, 5).map((each) => String(each.version));
  throw new Error(`${url} has no ${name} ${version}; it has ${some.join(', ')}${versions.length > 5 ? ', …' : ''}`);
};

/** helm takes 1.2.3 for v1.2.3 too. */
const isSameVersion = (one: unknown, other: string): boolean => withoutV(String(one)) === withoutV(other);

const withoutV = (version: string): string => version.replace(/^v/, '');
