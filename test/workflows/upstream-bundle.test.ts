import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { upstreamBundle } from '../../src/artifacts/bundle.js';
import { type ArchCatalogue, type BundleCatalogue, printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { known, knownVersions } from '../../src/artifacts/catalogue.js';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { publishedHosts, sourcesOf } from '../../src/artifacts/upstream/sources.js';
import { failuresIn } from '../../src/failure.js';
import {
  downloadMissingBundle,
  openArtifactsOrPlaceholders,
  openCharts,
  openNames,
} from '../../src/workflows/cluster-artifacts.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { type ChartServer, serveCharts } from '../support/chart-server.js';

const version = knownVersions()[0] ?? '';
const hosts = publishedHosts();

let home: string;
let server: ChartServer;
let inventory: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-upstream-bundle-'));
  vi.stubEnv('XDG_CACHE_HOME', home);
  server = await serveCharts();
  const mirrors = hosts.map((host) => `    ${host}: https://${server.host}/${host}\n`).join('');
  inventory = join(home, 'kbs.yaml');
  await writeFile(
    inventory,
    `apiVersion: kbs/v1
cluster: single
kubernetes: { version: ${version} }
artifacts:
  source: upstream
  mirrors:
${mirrors}network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    lan: { cidr: 192.168.30.0/24, gateway: 192.168.30.1 }
hosts:
  node-00: { address: 192.168.30.10, roles: [control-plane, worker] }
addons:
  metrics-server: {}
`,
  );
  const part: ArchCatalogue = { components: [], binaries: [], archives: [] };
  const catalogue: BundleCatalogue = {
    format: 2,
    kubernetes: version,
    architectures: { amd64: part, arm64: part },
    members: [],
  };
  await mkdir(upstreamBundle(version), { recursive: true });
  await writeFile(join(upstreamBundle(version), 'catalogue.json'), printCatalogue(catalogue));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await rm(home, { recursive: true, force: true });
});

it('a bundle that is made again for add-ons is for the architectures that it was for', async () => {
  const loaded = await loadCluster(inventory);
  const failed = await downloadMissingBundle(loaded, { say: () => {} }).catch((error: unknown) => error);
  const said = failuresIn(failed).map(({ message }) => message);
  for (const arch of ['amd64', 'arm64']) {
    expect(said).toContain(
      `helm ${known(version).programs.find(({ name }) => name === 'helm')?.version} for ${arch} could not be downloaded`,
    );
  }
});

it('a plan takes the names of what will be in it, and does not ask for a command of one’s own', async () => {
  const said: string[] = [];
  const loaded = await loadCluster(inventory);
  const artifacts = await openArtifactsOrPlaceholders(loaded, (text) => said.push(text));
  expect(said).toEqual(['the bundle is downloaded when it is needed; sizes and digests are not known yet']);
  expect(artifacts.chart('metrics-server').name).toBe('metrics-server');
});

it('what needs the charts of add-ons alone asks for their modules alone', async () => {
  const loaded = await loadCluster(inventory);
  server.asked.length = 0;
  const failed = await openCharts(loaded, { say: () => {} }).catch((error: unknown) => error);
  expect(failuresIn(failed).map(({ message }) => message)).toContain(
    'the chart metrics-server could not be downloaded',
  );
  expect(server.asked.length).toBeGreaterThan(0);
  expect(server.asked.filter((path) => !path.startsWith('/proxy.golang.org/'))).toEqual([]);
});

it('what needs the names of images alone asks for nothing, and needs no bundle', async () => {
  const loaded = await loadCluster(inventory);
  const { artifacts, ...cluster } = loaded.cluster;
  server.asked.length = 0;
  const named = async (source: 'auto' | 'go-modules' | 'upstream') =>
    referenceOf(
      await openNames({
        cluster: {
          ...cluster,
          artifacts: { ...artifacts, source, ...(source === 'upstream' ? { fetch: 'hosts' } : {}) },
        },
      }),
      'busybox',
    );
  await rm(upstreamBundle(version), { recursive: true });
  expect(await named('auto')).toBe('kbs.local/busybox:1.37.0');
  expect(await named('upstream')).toBe('kbs.local/busybox:1.37.0');
  expect(await named('go-modules')).toBe('kbs.local/busybox:1.0');
  expect(server.asked).toEqual([]);
  const missing = openNames({ cluster: { ...cluster, artifacts: { source: 'bundle', bundle: join(home, 'none') } } });
  await expect(missing).rejects.toThrow('there is no bundle at');
});

it.each(sourcesOf(known(version), 'amd64', { addons: true }).images)(
  'the name of $published is known before it is downloaded',
  ({ name, reference }) => {
    const { images } = placeholderArtifacts(version, { upstream: true }).of('amd64').image(name);
    expect(images.map((image) => image.reference)).toContain(reference);
  },
);
