import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { folderOfModule } from '../../../src/artifacts/upstream/module.js';
import { type ChartServer, content, serveCharts } from '../../support/chart-server.js';

/** `go mod download` of a module with these two files writes this sum (golang.org/x/mod/sumdb/dirhash, Hash1). */
const files = { 'charts/app/Chart.yaml': 'name: app\n', 'go.mod': 'module example.com/App\n' };
const sum = 'h1:AsVovy1fQigWsm2M05Wy/tY7GuwDqBcsGieAK0rMubI=';

let home: string;
let server: ChartServer;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-module-'));
  server = await serveCharts();
});
beforeEach(() => {
  server.paths.clear();
  server.asked.length = 0;
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true });
});

const address = '/go/example.com/!app/@v/v1.0.0.zip';
const zip = (of: Readonly<Record<string, string>>) =>
  zipSync(
    Object.fromEntries(Object.entries(of).map(([name, text]) => [`example.com/App@v1.0.0/${name}`, strToU8(text)])),
  );

const folder = async (pin = `example.com/App v1.0.0 ${sum}`) => {
  const sums = join(home, 'go.sum');
  await writeFile(sums, `example.com/App v1.0.0/go.mod h1:other=\n${pin}\n`);
  const cache = await mkdtemp(join(home, 'cache-'));
  const ask = () =>
    folderOfModule(
      { module: 'example.com/App', path: 'charts/app', sums },
      { cache, mirrors: { 'proxy.golang.org': `https://${server.host}/go` } },
    );
  return { first: await ask(), again: ask };
};

describe('a folder of a Go module, without Go', () => {
  it('is unpacked where the module has the sum of go.sum, and asked for once', async () => {
    server.paths.set(address, content(zip(files)));
    const { first, again } = await folder();
    expect(await readFile(join(first, 'Chart.yaml'), 'utf8')).toBe('name: app\n');
    expect(await again()).toBe(first);
    expect(server.asked).toEqual([address]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'another content',
      () => server.paths.set(address, content(zip({ ...files, 'go.mod': 'module example.com/Other\n' }))),
      /has the sum h1:.*, and go.sum says h1:AsVo/,
    ],
    ['no zip', () => server.paths.set(address, content('<html>')), /is no zip/],
    ['nothing', () => {}, /answers 404/],
  ])('is refused where the address has %s', async (_name, plant, expected) => {
    plant();
    await expect(folder()).rejects.toThrow(expected);
  });

  it('is refused where nothing pins it', async () => {
    await expect(folder('')).rejects.toThrow('go.sum does not pin example.com/App');
  });
});
