import { knownAddons } from '../../addons/index.js';
import type { Chart } from '../../artifacts/artifacts.js';
import { queryAll } from '../../engine/query-batch.js';
import type { RunOptions } from '../../hosts/host.js';
import { lines, sh } from '../../hosts/shell.js';
import type { Cluster } from '../../inventory/cluster.js';
import { isNewer } from '../../inventory/version.js';
import { selectApiHost } from '../../kubernetes/api-host.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import { askKubectl, parseKubectlAnswer } from '../../kubernetes/kubectl-answer.js';
import { addons as addonsPhase } from '../../phases/cluster/addons.js';
import { keyringDirectory, readKeyring } from '../../pki/keyring.js';
import { kindOf } from '../../resources/registry.js';
import { newestReleases, type ReleaseRecord, releaseRecords } from '../../resources/release-records.js';
import { type ReleaseResource, Unknown } from '../../resources/resource.js';
import { openCharts } from '../cluster-artifacts.js';
import { loadCluster } from '../load-cluster.js';
import { offlineContext } from '../run/phase-context.js';
import { type OpenPool, withPool } from '../run/pool.js';

/** An add-on of the inventory, or a release that is in the cluster without it. */
export interface AddonStatus {
  /** The name of the add-on; of a release that was made without kbs, its own. */
  readonly name: string;
  /** `namespace/name` */
  readonly release: string;
  /** Name and version of the chart that is installed; absent where none is. */
  readonly chart?: string;
  /** The version that `kbs addons upgrade` brings; absent where the newest that kbs knows is installed. */
  readonly upgrade?: { readonly to: string; readonly command: string };
  /** `as wanted`, or why not, as one line. */
  readonly state: string;
  readonly ok: boolean;
}

export interface AddonStatusOptions {
  readonly acceptNewHostKeys: boolean;
  /** Hears of what is downloaded. */
  readonly say?: (text: string) => void;
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
  readonly openPool?: OpenPool;
}

/** Asks the cluster for every add-on of the inventory, and for releases that are not in it. Changes nothing. */
export const addonStatus = async (
  file: string,
  { acceptNewHostKeys, say = () => {}, limits, openPool }: AddonStatusOptions,
): Promise<readonly AddonStatus[]> => {
  const loaded = await loadCluster(file);
  const artifacts = await openCharts(loaded, { say, signal: limits.signal });
  return withPool(
    acceptNewHostKeys,
    async (pool) => {
      const { host, at } = await selectApiHost(loaded.cluster, pool, limits);
      const { credentials } = await readKeyring(
        keyringDirectory(loaded.inventory, loaded.cluster.name),
        loaded.cluster,
        new Date(),
      );
      const wanted = releasesOf(loaded.cluster, offlineContext(loaded.cluster, artifacts, { credentials }), at);
      const all = sh`ask_kubectl ${adminConf} get secrets -A -l owner=helm --show-labels --no-headers`;
      const queries = [...wanted.map((each) => kindOf(each).query(each)), all];
      const preludes = [...wanted.map((each) => kindOf(each).prelude ?? sh``), lines(askKubectl)];
      const results = await queryAll(
        host,
        preludes,
        queries.map((script) => ({ name: 'releases', script, callsApi: true as const })),
        limits,
      );
      return [
        ...wanted.map((each) =>
          statusOf(each, results.get(kindOf(each).query(each))?.output ?? '', chosenBy(loaded.cluster, each)),
        ),
        ...othersIn(results.get(all)?.output ?? '', wanted),
      ];
    },
    openPool,
  );
};

const releasesOf = (
  cluster: Cluster,
  context: ReturnType<typeof offlineContext>,
  at: Cluster['hosts'][number],
): readonly ReleaseResource[] =>
  cluster.addons?.length
    ? addonsPhase.resources(at, context).filter((each): each is ReleaseResource => each.kind === 'release')
    : [];

/** Where the inventory has chosen a version of an add-on that kbs knows: the one that kbs would take. */
const chosenBy = ({ addons = [] }: Cluster, { addon, chart }: ReleaseResource): string | undefined => {
  const chosen = addons.find(({ name }) => name === addon)?.chart;
  const published = knownAddons.find(({ name }) => name === addon)?.published;
  const isSame =
    chosen !== undefined && 'repository' in chosen && chosen.name === published?.name && chart.name === chosen.name;
  return isSame ? published?.version : undefined;
};

const statusOf = (release: ReleaseResource, output: string, known: string | undefined): AddonStatus => {
  const kind = kindOf(release);
  const outline = { name: release.addon, release: kind.id(release) };
  const state = kind.parse(output, release);
  if (state === undefined) return { ...outline, ok: false, state: 'not installed: kbs apply installs it' };
  if (state instanceof Unknown) return { ...outline, ok: false, state: `cannot tell: ${state.reason}` };
  const differing = Object.entries(kind.desired(release)).filter(([aspect, value]) => state[aspect] !== value);
  const said = differing.map(([aspect]) => differences[aspect]?.(state[aspect] ?? '') ?? aspect);
  return {
    ...outline,
    ...(state.chart === undefined ? {} : { chart: state.chart, ...upgradeOf(release, state.chart, known) }),
    ok: said.length === 0,
    state: said.length === 0 ? 'as wanted' : `${said.join('; ')}: kbs plan shows what differs`,
  };
};

/**
 * What there is besides what runs, `is`: what the inventory has, or a newer version that kbs knows. `known`: the version that
 * kbs would take, where the inventory has chosen one.
 */
export const upgradeOf = (
  { addon, chart: { name, version } }: { readonly addon: string; readonly chart: Pick<Chart, 'name' | 'version'> },
  is: string,
  known: string | undefined,
): Pick<AddonStatus, 'upgrade'> => {
  const command = `kbs addons upgrade ${addon}`;
  if (known !== undefined && isNewer(known, version)) {
    return { upgrade: { to: `${name} ${known}`, command: `${command} --version ${known}` } };
  }
  return is === `${name} ${version}` ? {} : { upgrade: { to: `${name} ${version}`, command } };
};

const differences: Readonly<Record<string, (is: string) => string>> = {
  chart: () => 'another chart or version',
  digest: () => 'other values or another chart',
  'made by': () => 'installed without kbs',
  status: (is) => `helm says ${is}`,
  objects: (is) => `edited: ${is}`,
};

/** Releases that are not in the inventory; where the API server does not answer, one line that says so. */
const othersIn = (output: string, wanted: readonly ReleaseResource[]): readonly AddonStatus[] => {
  const answer = parseKubectlAnswer(output);
  switch (answer.state) {
    case 'not installed':
      return [cannotTellOthers('kubectl is not there any more')];
    case 'not answered':
      return [cannotTellOthers(answer.reason)];
    case 'answered':
      return newestReleases(releaseRecords(answer.output))
        .filter((record) => !wanted.some((each) => isSame(each, record)))
        .map(unwanted);
  }
};

const cannotTellOthers = (reason: string): AddonStatus => ({
  name: 'other releases',
  release: '',
  ok: false,
  state: `cannot tell: ${reason}`,
});

const isSame = ({ name, namespace }: ReleaseResource, record: ReleaseRecord): boolean =>
  record.name === name && record.namespace === namespace;

const unwanted = ({ name, namespace = '', addon, chart, status }: ReleaseRecord): AddonStatus => ({
  name: addon ?? name,
  release: `${namespace}/${name}`,
  ...(chart === undefined ? {} : { chart }),
  ok: addon === undefined,
  state:
    addon === undefined
      ? `${status}, installed without kbs`
      : `${status}, and not in the inventory any more: kbs apply removes it`,
});
