import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Arch } from '../../src/artifacts/arch.js';
import {
  type ArchCatalogue,
  type BuiltName,
  type BundleCatalogue,
  printCatalogue,
} from '../../src/artifacts/bundle-catalogue.js';
import { releaseOf } from '../../src/artifacts/catalogue.js';
import type { EventData } from '../../src/engine/event.js';
import type { Plan } from '../../src/engine/plan.js';
import { Failure, failuresIn } from '../../src/failure.js';
import { ensureKeyring, keyringDirectory } from '../../src/pki/keyring.js';
import { sha256 } from '../../src/secret.js';
import { apply } from '../../src/workflows/apply.js';
import { type LoadedCluster, loadCluster } from '../../src/workflows/load-cluster.js';
import type { Workflow } from '../../src/workflows/run/context.js';
import { execute, type RunRequest, type RunResult } from '../../src/workflows/run/execute.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { dealtRandomness } from '../pki/keys.js';
import { Killed, ScriptedCluster } from './scripted-cluster.js';

/** A folder with an inventory, a bundle whose programs are a few bytes, and the state of the cluster. */
export interface Project {
  readonly inventory: string;
  readonly keyring: string;
  load(text?: string): Promise<LoadedCluster>;
  /** Every file but the bundle and the lock, by its path in the folder. */
  files(): Readonly<Record<string, string>>;
}

/** Projects and clusters for the tests of a file; made before its first test, and removed after its last. */
export const scriptedProjects = (inventory: string, architectures: readonly Arch[] = ['amd64']) => {
  let home = '';
  let installed: Pick<ScriptedCluster, 'machines' | 'objects' | 'releases' | 'members' | 'started'>;
  let made = 0;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'kbs-scripted-'));
    vi.stubEnv('XDG_CACHE_HOME', join(home, 'cache'));
    const template = projectIn(join(home, 'template'));
    writeBundle(join(home, 'bundle'), architectures);
    // One for all projects: it has hundreds of files, and no run writes into it.
    symlinkSync(join(home, 'bundle'), join(home, 'template/bundle'));
    writeFileSync(template.inventory, inventory);
    const { cluster } = await template.load();
    await ensureKeyring(template.keyring, cluster, new Date(), await dealtRandomness(23));
    cpSync(join(home, 'template'), join(home, 'installed'), { recursive: true });
    const project = projectIn(join(home, 'installed'));
    const world = new ScriptedCluster(cluster);
    const { failures } = await run(project, world, phaseRun(apply));
    if (failures.length > 0)
      throw new Error(failures.map(({ message, why }) => [message, ...why].join('; ')).join('\n'));
    installed = world;
  }, 60_000);

  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  const copyOf = async (of: 'template' | 'installed') => {
    const folder = join(home, `${of}-${made++}`);
    cpSync(join(home, of), folder, { recursive: true });
    const project = projectIn(folder);
    return { project, world: new ScriptedCluster((await project.load()).cluster) };
  };

  return {
    /** Machines on which nothing is installed, and a keyring. */
    bare: () => copyOf('template'),
    /** The whole inventory, applied. */
    async cluster() {
      const copy = await copyOf('installed');
      copy.world.copy(installed);
      return copy;
    },
  };
};

const projectIn = (folder: string): Project => {
  mkdirSync(folder, { recursive: true });
  const inventory = join(folder, 'kbs.yaml');
  return {
    inventory,
    keyring: keyringDirectory(inventory, 'scripted'),
    load: (text) => loadCluster(inventory, text),
    files: () =>
      Object.fromEntries(
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
          .filter(
            (path) => !path.startsWith('bundle/') && !path.endsWith('holder.json') && !path.endsWith('.gitignore'),
          )
          .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
      ),
  };
};

const writeBundle = (folder: string, architectures: readonly Arch[]): void => {
  const release = releaseOf('1.36.3');
  if (release === undefined) throw new Error('the catalogue does not know this version');
  const files: string[] = [];
  const place = (file: string) => {
    files.push(file);
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), file);
    return { file, size: file.length, sha256: sha256(file) };
  };
  const held = (arch: Arch): ArchCatalogue => ({
    components: [],
    // The catalogue's keys are names of binaries.
    binaries: (Object.keys(release.binaries) as BuiltName[]).map((name) => ({
      name,
      ...place(`${arch}/binaries/${name}`),
    })),
    archives: release.archives.map(({ name, images }) => ({
      name,
      file: place(`${arch}/images/${name}.tar`).file,
      images: images.map((image) => ({
        name: image,
        reference: release.images[image].reference,
        digest: `sha256:${sha256(`${arch} ${image}`)}`,
      })),
    })),
    repositories: { 'debian-12': place(`${arch}/packages/debian-12.tar`).file },
  });
  const catalogue: BundleCatalogue = {
    format: 2,
    kubernetes: release.kubernetes,
    architectures: Object.fromEntries(architectures.map((arch) => [arch, held(arch)])),
    charts: release.charts.map(({ addon, name, version, inModule }) => ({
      addon,
      name,
      version,
      file: place(`charts/${name}.tgz`).file,
      from: inModule?.module ?? 'kbs',
    })),
    members: files.map((file) => ({ file, size: file.length, sha256: sha256(file) })),
  };
  writeFileSync(join(folder, 'catalogue.json'), printCatalogue(catalogue));
};

/** What became of a run. */
export interface Outcome {
  /** Absent where the run failed. */
  readonly result?: RunResult;
  readonly failures: readonly Failure[];
  readonly killed: boolean;
  /** What was asked, each with its sentences about this machine. */
  readonly asked: readonly { readonly plan: Plan; readonly local: readonly string[] }[];
  readonly said: readonly string[];
  readonly events: readonly EventData[];
}

type Options = Partial<Omit<RunRequest, 'loaded' | 'workflow'>> & {
  readonly loaded?: LoadedCluster;
  /** Called with what is asked; throws for a no. */
  readonly answer?: (plan: Plan) => void | Promise<void>;
};

/** Runs a workflow through `execute` on the machines of a scripted cluster. */
export const run = async (
  project: Project,
  world: ScriptedCluster,
  workflow: Workflow,
  { answer, ...options }: Options = {},
): Promise<Outcome> => {
  const asked: { plan: Plan; local: readonly string[] }[] = [];
  const said: string[] = [];
  const events: EventData[] = [];
  const seen = { asked, said, events, killed: false, failures: [] };
  try {
    const result = await execute({
      workflow: world.watch(workflow),
      loaded: options.loaded ?? (await project.load()),
      dryRun: false,
      acceptNewHostKeys: false,
      emit: (event) => events.push(event),
      say: (text) => said.push(text),
      signal: new AbortController().signal,
      async confirm(plan, local) {
        asked.push({ plan, local });
        await answer?.(plan);
      },
      openPool: world.openPool,
      ...options,
    });
    return { ...seen, result };
  } catch (error) {
    if (error instanceof Killed) return { ...seen, killed: true };
    const failures = failuresIn(error);
    if (failures.length === 0) throw error;
    return { ...seen, failures };
  }
};

/** The answer no. */
export const refuse = (): void => {
  throw new Failure('refused', 'the answer was no');
};

/** A failure in one line, for a table. */
export const inWords = ({ failures }: Outcome): readonly string[] =>
  failures.map(({ code, message }) => `${code}: ${message}`);
