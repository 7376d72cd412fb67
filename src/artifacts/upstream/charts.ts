import { type Failure, Failures } from '../../failure.js';
import type { PackedMember } from '../bundle-members.js';
import { makeChart } from '../charts/member.js';
import type { Release } from '../release.js';
import type { Mirrors } from './mirrors.js';
import { folderOfModule } from './module.js';
import { notDownloaded } from './not-downloaded.js';

/** The charts of add-ons, out of the modules of their projects; Failures name each that cannot be had. */
export const chartsOf = async (
  release: Release,
  cache: string,
  { mirrors = {}, signal }: { readonly mirrors?: Mirrors; readonly signal?: AbortSignal | undefined },
): Promise<readonly PackedMember[]> => {
  const failures: Failure[] = [];
  const charts: PackedMember[] = [];
  for (const chart of release.charts) {
    signal?.throwIfAborted();
    await makeChart(chart, { cache }, (folder) => folderOfModule(folder, { cache, mirrors, signal })).then(
      (made) => charts.push(made),
      (error: unknown) =>
        failures.push(notDownloaded(`the chart ${chart.name}`, chart.inModule?.module ?? 'kbs', error)),
    );
  }
  signal?.throwIfAborted();
  if (failures.length > 0) throw new Failures(failures);
  return charts;
};
