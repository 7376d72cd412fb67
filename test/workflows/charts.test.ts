import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Failures } from '../../src/failure.js';
import type { OwnAddon } from '../../src/inventory/cluster.js';
import { nameCharts, readCharts } from '../../src/workflows/charts.js';
import { type ChartServer, serveCharts } from '../support/chart-server.js';

let server: ChartServer;
let cache: string;
const before = process.env.XDG_CACHE_HOME;

beforeAll(async () => {
  server = await serveCharts();
  cache = await mkdtemp(join(tmpdir(), 'kbs-charts-'));
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(async () => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await server.close();
  await rm(cache, { recursive: true, force: true });
});

const loaded = () => {
  const repository = `https://${server.host}`;
  const common = { is: 'own', namespace: 'apps', values: {}, adopt: false, timeoutSeconds: 300 } as const;
  const addons: readonly OwnAddon[] = [
    { ...common, name: 'web', chart: { repository, name: 'web', version: '1.0.0' } },
    { ...common, name: 'shop', chart: { path: '/nowhere/shop' } },
  ];
  const text = 'addons:\n  web: { chart: web }\n  shop: { chart: ./shop }\n';
  return { cluster: { addons }, inventory: '/home/cluster.yaml', text };
};

it('every chart that cannot be had is named, with its place, its address and what to do', async () => {
  const failed = await readCharts(loaded(), () => false).catch((error: unknown) => error);
  expect((failed as Failures).failures).toMatchObject([
    {
      code: 'preflight',
      message: expect.stringMatching(/^addons\.web\.chart: the chart web 1\.0\.0 cannot be had from https:/),
      where: { position: '/home/cluster.yaml:2:17' },
      why: [`https://${server.host}/index.yaml answers 404`],
      next: expect.stringContaining('no host was contacted'),
    },
    { code: 'inventory', where: { position: '/home/cluster.yaml:3:18' } },
  ]);
});

it('a name and a version need no download', async () => {
  server.asked.length = 0;
  const { cluster, ...rest } = loaded();
  const charts = await nameCharts({ ...rest, cluster: { addons: cluster.addons.slice(0, 1) } }, () => false);
  expect(charts.get('web')).toMatchObject({ name: 'web', version: '1.0.0' });
  expect(server.asked).toEqual([]);
});
