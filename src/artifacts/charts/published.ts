import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { sha256 } from '../../secret.js';
import type { Chart } from '../artifacts.js';
import { cacheFolder, keyOf } from '../cache.js';
import { chartIn } from './chart.js';
import { fromRegistry } from './registry.js';
import { fromRepository } from './repository.js';
import type { FoundChart, WantedChart } from './wanted.js';

/**
 * A published chart with its digest checked: the pinned one, else the repository's. It is kept by its digest below
 * `charts` in kbs's cache, where the same version of the same repository is found again without a question to anyone.
 * Throws an Error that says the address and the reason. `cache` is kbs's cache folder, the user's own when absent.
 */
export const publishedChart = async (wanted: WantedChart, cache = cacheFolder()): Promise<Chart> => {
  const folder = join(cache, 'charts');
  const kept = await readKept(folder, wanted);
  if (kept !== undefined) return chartIn(kept);
  const { url, tgz, digest } = await download(wanted);
  const actual = sha256(tgz);
  const expected = wanted.sha256 === undefined ? digest : { sha256: wanted.sha256, by: 'what is pinned' };
  if (expected === undefined) {
    throw new Error(
      `${url}: the repository has no digest for it; what was downloaded has sha256 ${actual}: pin it as sha256 if it is right`,
    );
  }
  if (actual !== expected.sha256) {
    throw new Error(`${url} has sha256 ${actual}, and ${expected.by} says ${expected.sha256}`);
  }
  const chart = await chartIn(tgz).catch((error: unknown) => {
    throw new Error(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (chart.name !== wanted.name) throw new Error(`${url} is the chart ${chart.name}, and not ${wanted.name}`);
  await keep(folder, wanted, chart);
  return chart;
};

const download = (wanted: WantedChart): Promise<FoundChart> =>
  (wanted.repository.startsWith('oci://') ? fromRegistry : fromRepository)(wanted);

/** What is pinned is found by that; anything else by what was found for it the first time. A damaged file counts as none. */
const readKept = async (folder: string, wanted: WantedChart): Promise<Buffer | undefined> => {
  const digest = wanted.sha256 ?? (await textOf(join(folder, addressKey(wanted))))?.toString().trim();
  if (digest === undefined) return undefined;
  const tgz = await textOf(join(folder, `${digest}.tgz`));
  return tgz !== undefined && sha256(tgz) === digest ? tgz : undefined;
};

const keep = async (folder: string, wanted: WantedChart, { tgz, sha256: digest }: Chart): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, `${digest}.tgz`), Buffer.from(tgz));
  await writeFileAtomic(join(folder, addressKey(wanted)), `${digest}\n`);
};

const addressKey = ({ repository, name, version }: WantedChart): string =>
  `${keyOf(name, [repository, name, version])}.sha256`;

const textOf = (path: string): Promise<Buffer | undefined> => readFile(path).catch(() => undefined);
