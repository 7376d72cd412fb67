import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Artifacts } from '../artifacts/artifacts.js';
import { resourcesOf } from '../engine/observe.js';
import { Failure } from '../failure.js';
import type { Credentials } from '../pki/credentials.js';
import { keyringDirectory, readKeyring } from '../pki/keyring.js';
import { placeholderCredentials } from '../pki/placeholder.js';
import { ignoreEverything } from '../private-folder.js';
import type { Resource } from '../resources/resource.js';
import { reveal, Secret } from '../secret.js';
import { toYaml } from '../templates/yaml.js';
import { apply } from './apply.js';
import { type LoadedCluster, openArtifactsOrPlaceholders } from './load-cluster.js';
import { routerFiles } from './routers.js';
import { phasesByHost, targetNodesOf } from './run/host-phases.js';
import { offlineContext } from './run/phase-context.js';
import type { PhaseRun, PhaseWorkflow } from './run/phase-workflow.js';
import { pinPodCidrs, readRecord } from './run/pod-cidrs.js';
import { withWriteErrors } from './write-error.js';

/** A rendering: path below the tree → text. */
export type Rendering = ReadonlyMap<string, string>;

/** `kbs render`: writes the tree; gives its paths. Real credentials come from the keyring, which must be whole. */
export const render = async (
  opened: LoadedCluster,
  directory: string,
  withSecrets: boolean,
): Promise<readonly string[]> => {
  const artifacts = await openArtifactsOrPlaceholders(opened, () => {});
  const { loaded: held } = await pinPodCidrs(opened, await readRecord(opened.state));
  const tree = withSecrets
    ? new Map([['.gitignore', ignoreEverything], ...rendering(held, artifacts, await wholeKeyring(opened))])
    : rendering(held, artifacts);
  await writeRendering(tree, directory);
  return [...tree.keys()];
};

const wholeKeyring = async ({ inventory, cluster }: LoadedCluster): Promise<Credentials> => {
  const { credentials, missing } = await readKeyring(keyringDirectory(inventory, cluster.name), cluster, new Date());
  if (missing.length === 0) return credentials;
  throw new Failure('refused', 'the keyring is not whole', {
    why: missing,
    next: 'bring the cluster up first: kbs init',
  });
};

/**
 * Every file, unit, manifest, route and object of every host as one tree, without contacting anything. Secrets are
 * placeholders unless real credentials are given. The same inventory gives the same tree.
 */
export const rendering = (opened: LoadedCluster, artifacts: Artifacts, credentials?: Credentials): Rendering => {
  const tree = new Map<string, string>();
  for (const { host, resources } of everything(opened, artifacts, { workflow: apply }, credentials)) {
    const rest: Resource[] = [];
    for (const resource of resources.flatMap(({ list }) => list)) {
      const file = fileOf(resource);
      if (file) tree.set(join(host, file.path), file.text);
      else rest.push(resource);
    }
    tree.set(join(host, 'host.yaml'), toYaml(rest.map(plain)));
  }
  for (const [path, text] of routerFiles(opened.cluster)) tree.set(path, text);
  return tree;
};

/** Names what lies at the top of a rendering, a line each: the next one deletes that, and nothing else. */
const marker = '.kbs-render';

/** Writes a rendering into a folder that is empty, missing, or holds an earlier rendering, which goes. */
export const writeRendering = async (tree: Rendering, directory: string): Promise<void> => {
  const names = [...new Set([...tree.keys()].map((path) => path.split('/')[0] ?? ''))];
  await withWriteErrors(directory, 'name another folder: kbs render DIR', async () => {
    const old = await earlier(directory, names);
    for (const name of old) await rm(join(directory, name), { recursive: true, force: true });
    // The marker comes before the tree: an interrupted rendering can be told from files of the user's own.
    for (const [path, text] of new Map([[marker, `${names.join('\n')}\n`], ...tree])) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text, { mode: 0o600 });
    }
  });
};

/** The names of an earlier rendering in the folder. Refuses where something of the user's own would be lost. */
const earlier = async (directory: string, names: readonly string[]): Promise<readonly string[]> => {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException): readonly string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (there.length === 0) return [];
  const refuse = (why: string) =>
    new Failure('usage', `${directory} is not empty, and not all in it is from kbs render`, {
      why: [why],
      next: `name a folder that is new or empty, as in: kbs render ${join(directory, 'rendered')}`,
    });
  if (!there.includes(marker)) throw refuse(`it has no ${marker}, which every rendering has`);
  const listed = (await readFile(join(directory, marker), 'utf8')).split('\n').filter(Boolean);
  const astray = listed.find((name) => name === '.' || name === '..' || basename(name) !== name);
  if (astray !== undefined) throw refuse(`its ${marker} lists ${astray}, which is no name in this folder`);
  const foreign = names.find((name) => there.includes(name) && !listed.includes(name));
  if (foreign !== undefined)
    throw refuse(`${foreign} is not from the last rendering, and is the name of a folder in this one`);
  return listed;
};

/** What a workflow would put on each host, as one YAML stream: a document for each host and phase. */
export const manifests = async (opened: LoadedCluster, about: About): Promise<string> => {
  const artifacts = await openArtifactsOrPlaceholders(opened, () => {});
  return everything((await pinPodCidrs(opened, await readRecord(opened.state))).loaded, artifacts, about)
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
interface About extends Pick<PhaseRun, 'joining' | 'selection'> {
  readonly workflow: PhaseWorkflow;
}

const everything = (
  { cluster }: LoadedCluster,
  artifacts: Artifacts,
  about: About,
  credentials: Credentials = placeholderCredentials(cluster),
): readonly HostRendering[] => {
  const targetNodes = targetNodesOf(about.workflow, { ...about, cluster });
  const context = offlineContext(cluster, artifacts, { credentials, targetNodes });
  return phasesByHost(about.workflow, { ...about, cluster }).map((hostPhases) => ({
    host: hostPhases.host.name,
    resources: [...resourcesOf(hostPhases, context)]
      .map(([phase, list]) => ({ phase: phase.name, list: list.filter(({ kind }) => kind !== 'absent') }))
      .filter(({ list }) => list.length > 0),
  }));
};

/** The resources that are texts of their own, and where they lie below the host's folder. */
const fileOf = (resource: Resource): { readonly path: string; readonly text: string } | undefined => {
  switch (resource.kind) {
    case 'file':
      return { path: below(resource.path), text: reveal(resource.content) };
    case 'zone':
      return { path: below(resource.path), text: resource.content };
    case 'unit':
      return { path: `etc/systemd/system/${resource.name}`, text: resource.text };
    case 'object':
      return {
        path: `objects/${resource.name}.yaml`,
        text: resource.objects.map((one) => `---\n${toYaml(one)}`).join(''),
      };
    case 'nft-table':
      return { path: `nftables/${resource.name}.nft`, text: `${resource.text}\n` };
    default:
      return undefined;
  }
};

const below = (path: string): string => {
  if (path.split('/').includes('..')) throw new Failure('refused', `${path} leads out of the tree`);
  return path.slice(1);
};

/** A resource as plain data: placeholder secrets as their text, and no path of this machine. */
const plain = (resource: Resource): unknown =>
  JSON.parse(
    JSON.stringify(resource, function (this: Record<string, unknown>, key: string, value: unknown) {
      const original = this[key];
      if (original instanceof Secret) return original.reveal();
      if (key === 'file' || key === 'packedSize' || key === 'packing') return undefined;
      return value;
    }),
  );
