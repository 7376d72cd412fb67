import { cp, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChart } from '../../../src/artifacts/charts/chart.js';

let home: string;
let chart: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-chart-'));
  chart = join(home, 'web');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await mkdir(join(chart, '.git'));
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.2.0+build\n');
  await writeFile(join(chart, 'templates/all.yaml'), 'kind: ConfigMap\n');
  await writeFile(join(chart, '.git/config'), 'mine\n');
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('of the same files is the same bytes, whenever and wherever they were written', async () => {
  const other = join(home, 'elsewhere/web');
  await cp(chart, other, { recursive: true });
  await utimes(join(other, 'Chart.yaml'), new Date(0), new Date(0));
  const [one, two] = await Promise.all([readChart(chart), readChart(other)]);
  expect(one).toEqual(two);
  expect(one).toMatchObject({ name: 'web', version: '1.2.0+build' });
  await writeFile(join(other, 'values.yaml'), 'more: true\n');
  expect((await readChart(other)).sha256).not.toBe(one.sha256);
});

it('is an archive below one folder, without what belongs to git', async () => {
  const file = join(home, 'web.tgz');
  const { tgz, ...named } = await readChart(chart);
  await writeFile(file, tgz);
  expect((await execa('tar', ['-tzf', file])).stdout.split('\n')).toEqual(['web/Chart.yaml', 'web/templates/all.yaml']);
  const { tgz: same, ...read } = await readChart(file);
  expect(read).toEqual(named);
  expect(Buffer.from(same)).toEqual(Buffer.from(tgz));
});

describe('of a folder', () => {
  const packed = async (files: Readonly<Record<string, string>>) => {
    const folder = await mkdtemp(join(home, 'packed-'));
    for (const [path, text] of Object.entries({ 'Chart.yaml': 'name: web\nversion: 1.0.0\n', ...files })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  };
  const namesIn = async (folder: string) => {
    const { stdout } = await execa('tar', ['-tz'], { input: (await readChart(folder)).tgz });
    return stdout.split('\n').map((path) => path.slice(path.indexOf('/') + 1));
  };

  it('leaves out what its .helmignore names, as that of Traefik does', async () => {
    const folder = await packed({
      '.helmignore': 'tests/\ncrds/kustomization.yaml\n',
      'crds/kustomization.yaml': '',
      'crds/ingressroutes.yaml': '',
      'tests/pod_test.yaml': '',
      'templates/_helpers.tpl': '',
      'templates/.all.yaml.swp': '',
    });
    expect(await namesIn(folder)).toEqual([
      '.helmignore',
      'Chart.yaml',
      'crds/ingressroutes.yaml',
      'templates/_helpers.tpl',
    ]);
  });

  it('follows links, and has what is hidden, as helm does', async () => {
    const shared = await packed({ '_names.tpl': '' });
    const folder = await packed({ 'files/.profile': '' });
    await symlink(shared, join(folder, 'templates'));
    expect(await namesIn(folder)).toEqual([
      'Chart.yaml',
      'files/.profile',
      'templates/Chart.yaml',
      'templates/_names.tpl',
    ]);
  });

  it('is refused with a rule that helm refuses', async () => {
    const folder = await packed({ '.helmignore': '# kept out\n\ntests/**\n' });
    await expect(readChart(folder)).rejects.toThrow(/^\.helmignore:3: helm takes no rule tests\/\*\*/);
  });
});

it.each<[string, () => Promise<string>, RegExp]>([
  ['nothing', async () => join(home, 'nowhere'), /ENOENT/],
  ['a folder without a Chart.yaml', async () => home, /ENOENT.*Chart\.yaml/],
  ['a file of another kind', () => written('text', Buffer.from('text')), /no archive that gzip has packed/],
  ['an archive of something else', () => written('empty', gzipSync(Buffer.alloc(1024))), /no Chart\.yaml is in it/],
  [
    'a Chart.yaml without a name',
    async () => {
      await mkdir(join(home, 'nameless'));
      await writeFile(join(home, 'nameless/Chart.yaml'), 'version: 1.0.0\n');
      return join(home, 'nameless');
    },
    /names no chart and version/,
  ],
])('of %s says what is wrong', async (_, made, says) => {
  await expect(readChart(await made())).rejects.toThrow(says);
});

const written = async (name: string, content: Uint8Array): Promise<string> => {
  const file = join(home, name);
  await writeFile(file, content);
  return file;
};
