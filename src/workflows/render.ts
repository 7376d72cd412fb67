import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Artifacts } from '../artifacts/artifacts.js';
import { resourcesOf } from '../engine/observe.js';
import { Failure } from '../failure.js';
import type { Credentials } from '../pki/credentials.js';
import { keyringDirectory, readKeyring } from '../pki/keyring.js';
import { placeholderCredentials } from '../pki/placeholder.js';
import { ignoreEverything } from '../private-folder.js';
import { revealed } from '../resources/release-preview.js';
import type { ReleaseResource, Resource } from '../resources/resource.js';
import { reveal, Secret } from '../secret.js';
import { toYaml } from '../templates/yaml.js';
import { apply } from './apply.js';
import { openArtifactsOrPlaceholders } from './cluster-artifacts.js';
import { readOwnerSecrets, withOwnerSecrets } from './inventory-files/secrets.js';
import type { LoadedCluster } from './load-cluster.js';
import { routerFiles } from './routers.js';
import { phasesByHost, targetNodesOf } from './run/host-phases.js';
import { offlineContext } from './run/phase-context.js';
import type { PhaseRun, PhaseWorkflow } from './run/phase-workflow.js';
import { pinPodCidrs, readRecord } from './run/pod-cidrs.js';
import { withWriteErrors } from './write-error.js';

/** A rendering: path below the tree → text. */
export type Rendering = ReadonlyMap<string, string>;

/** `kbs render`: writes the tree and returns its paths. Real credentials come from the keyring, which must be complete. */
export const render = async (
  loaded: LoadedCluster,
  directory: string,
  withSecrets: boolean,
): Promise<readonly string[]> => {
  const artifacts = await openArtifactsOrPlaceholders(loaded, () => {});
  const { loaded: pinned } = await pinPodCidrs(loaded, await readRecord(loaded.state));
  const tree = withSecrets
    ? new Map([['.gitignore', ignoreEverything], ...rendering(pinned, artifacts, await completeKeyring(loaded))])
    : rendering(pinned, artifacts);
  await writeRendering(tree, directory);
  return [...tree.keys()];
};

const completeKeyring = async (loaded: LoadedCluster): Promise<Credentials> => {
  const { inventory, cluster } = loaded;
  const { credentials, missing } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, new Date());
  if (missing.length === 0) {
    return withOwnerSecrets(credentials, readOwnerSecrets(loaded, process.env));
  }
  throw new Failure('refused', 'the keyring is not complete', {
    why: missing,
    next: 'bring the cluster up first: kbs init',
  });
};

/**
 * Every file, unit, manifest, route and object of every host as one tree; no host is contacted. Secrets are placeholders
 * unless real credentials are given. The same inventory gives the same tree.
 */
export const rendering = (loaded: LoadedCluster, artifacts: Artifacts, credentials?: Credentials): Rendering => {
  const tree = new Map<string, string>();
  for (const { host, resources } of everyHost(loaded, artifacts, { workflow: apply }, credentials)) {
    const rest: Resource[] = [];
    for (const resource of resources.flatMap(({ list }) => list)) {
      const file = fileOf(resource);
      if (file) tree.set(join(host, file.path), file.text);
      else rest.push(resource);
    }
    tree.set(join(host, 'host.yaml'), toYaml(rest.map(plain)));
  }
  for (const [path, text] of routerFiles(loaded.cluster)) tree.set(path, text);
  return tree;
};

/** A file that lists the top entries of a rendering, one a line: the next rendering deletes these, and nothing else. */
const marker = '.kbs-render';

/** Writes a rendering into a folder that is empty, missing, or has an earlier rendering, which is deleted. */
export const writeRendering = async (tree: Rendering, directory: string): Promise<void> => {
  const names = [...new Set([...tree.keys()].map((path) => path.split('/')[0] ?? ''))];
  await withWriteErrors(directory, 'name another folder: kbs render DIR', async () => {
    const old = await earlierEntries(directory, names);
    for (const name of old) await rm(join(directory, name), { recursive: true, force: true });
    // The marker is written first, so that an interrupted rendering differs from a folder with files of the user.
    for (const [path, text] of new Map([[marker, `${names.join('\n')}\n`], ...tree])) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text, { mode: 0o600 });
    }
  });
};

/** The entries of an earlier rendering in the folder. Throws `usage` where files of the user would be lost. */
const earlierEntries = async (directory: string, names: readonly string[]): Promise<readonly string[]> => {
  const present = await readdir(directory).catch((error: NodeJS.ErrnoException): readonly string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (present.length === 0) return [];
  const refuse = (why: string) =>
    new Failure('usage', `${directory} is not empty, and kbs render did not write everything in it`, {
      why: [why],
      next: `name a folder that is new or empty, as in: kbs render ${join(directory, 'rendered')}`,
    });
  if (!present.includes(marker)) throw refuse(`it has no ${marker}, which every rendering has`);
  const listed = (await readFile(join(directory, marker), 'utf8')).split('\n').filter(Boolean);
  const outside = listed.find((name) => name === '.' || name === '..' || basename(name) !== name);
  if (outside !== undefined) throw refuse(`its ${marker} lists ${outside}, which is not a name in this folder`);
  const other = names.find((name) => present.includes(name) && !listed.includes(name));
  if (other !== undefined)
    throw refuse(`${other} is not from the last rendering, and is the name of a folder in this one`);
  return listed;
};

/** What a workflow would put on each host, as one YAML stream: a document for each host and phase. */
export const manifests = async (loaded: LoadedCluster, scope: RenderScope): Promise<string> => {
  const artifacts = await openArtifactsOrPlaceholders(loaded, () => {});
  return everyHost((await pinPodCidrs(loaded, await readRecord(loaded.state))).loaded, artifacts, scope)
    .flatMap(({ host, resources }) =>
      resources.map(({ phase, list }) => `---\n${toYaml({ host, phase, resources: list.map(plain) })}`),
    )
    .join('');
};

interface HostRendering {
  readonly host: string;
  readonly resources: readonly { readonly phase: string; readonly list: readonly Resource[] }[];
}

/** The part of a run that decides which hosts, phases and nodes it is about. */
interface RenderScope extends Pick<PhaseRun, 'joining' | 'selection'> {
  readonly workflow: PhaseWorkflow;
}

const everyHost = (
  { cluster }: LoadedCluster,
  artifacts: Artifacts,
  scope: RenderScope,
  credentials: Credentials = placeholderCredentials(cluster),
): readonly HostRendering[] => {
  const targetNodes = targetNodesOf(scope.workflow, { ...scope, cluster });
  const context = offlineContext(cluster, artifacts, { credentials, targetNodes });
  return phasesByHost(scope.workflow, { ...scope, cluster }).map((hostPhases) => ({
    host: hostPhases.host.name,
    resources: [...resourcesOf(hostPhases, context)]
      .map(([phase, list]) => ({ phase: phase.name, list }))
      .filter(({ list }) => list.length > 0),
  }));
};

/** The path below the host's folder, and the text, of a resource that is rendered as a file. */
const fileOf = (resource: Resource): { readonly path: string; readonly text: string } | undefined => {
  switch (resource.kind) {
    case 'file':
      return { path: below(resource.path), text: reveal(resource.content) };
    case 'zone':
      return { path: below(resource.path), text: resource.content };
    case 'unit':
      return { path: `etc/systemd/system/${resource.name}`, text: resource.text };
    case 'object':
      // What another field manager applies follows from facts of hosts, and none is asked here.
      if (resource.manager !== undefined) return undefined;
      return {
        path: `objects/${resource.name}.yaml`,
        text: resource.objects.map((one) => `---\n${toYaml(one)}`).join(''),
      };
    case 'release':
      return { path: `releases/${resource.namespace}-${resource.name}.yaml`, text: toYaml(releaseText(resource)) };
    case 'nft-table':
      // Tables of two families may have one name.
      return {
        path: `nftables/${resource.family === 'ip' ? '' : `${resource.family}-`}${resource.name}.nft`,
        text: `${resource.text}\n`,
      };
    default:
      return undefined;
  }
};

/** As `helm` would be told. */
const releaseText = ({ name, namespace, chart, values }: ReleaseResource) => ({
  release: name,
  namespace,
  chart: chart.name,
  version: chart.version,
  values: revealed(values),
});

const below = (path: string): string => {
  if (path.split('/').includes('..')) throw new Failure('refused', `${path} leads out of the rendering`);
  return path.slice(1);
};

/** A resource as plain data: secrets as their text, without paths of this machine and the bytes of charts. */
const plain = (resource: Resource): unknown =>
  JSON.parse(
    JSON.stringify(resource, function (this: Record<string, unknown>, key: string, value: unknown) {
      const original = this[key];
      if (original instanceof Secret) return original.reveal();
      if (key === 'file' || key === 'packedSize' || key === 'packing' || key === 'tgz') return undefined;
      return value;
    }),
  );
