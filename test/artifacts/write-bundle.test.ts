import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { requirePlace, writeBundle } from '../../src/artifacts/write-bundle.js';
import { sha256 } from '../../src/secret.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-write-bundle-'));
  await writeFile(join(home, 'source'), 'the kubelet');
});
afterAll(() => rm(home, { recursive: true, force: true }));

const member = { file: 'amd64/binaries/kubelet.gz', size: 11, sha256: sha256('the kubelet') };
const catalogue: BundleCatalogue = { format: 2, kubernetes: '1.36.3', architectures: {}, members: [member] };
const write = (into: string, source = join(home, 'source')) =>
  writeBundle(into, catalogue, [{ source, member, made: true }]);

const lay = async (files: readonly string[]): Promise<string> => {
  const folder = await mkdtemp(join(home, 'folder-'));
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), 'mine');
  }
  return folder;
};

describe('a bundle is written', () => {
  it.each<[string, readonly string[]]>([
    ['into an empty folder', []],
    ['over another bundle', ['catalogue.json', 'amd64/images/old.tar', 'charts/old.tgz']],
    ['over a bundle of an earlier kbs', ['catalogue.json', 'binaries/kubelet.zst', 'images/a.tar', 'packages/b.tar']],
  ])('%s', async (_name, files) => {
    const folder = await lay(files);
    await write(folder);
    expect((await readdir(folder, { recursive: true })).toSorted()).toEqual([
      'amd64',
      'amd64/binaries',
      'amd64/binaries/kubelet.gz',
      'catalogue.json',
    ]);
  });

  it.each<[string, readonly string[], string]>([
    ['over a folder of other things', ['letters/one.txt'], 'it holds letters'],
    ['over a bundle with something beside it', ['catalogue.json', 'amd64/x', 'kbs.yaml'], 'it holds kbs.yaml'],
    ['over a folder that only looks like one', ['images/holiday.jpg'], 'it has no catalogue.json'],
  ])('never %s', async (_name, files, why) => {
    const folder = await lay(files);
    await expect(write(folder)).rejects.toMatchObject({ code: 'usage', why: [why] });
    for (const file of files) expect(await readFile(join(folder, file), 'utf8')).toBe('mine');
  });

  describe('after a run that was killed between its two renames', () => {
    const gone = 4_194_304;

    it('has the bundle of before back, where none took its place', async () => {
      const folder = join(await lay(['notes']), 'bundle');
      await mkdir(`${folder}.${gone}.old`);
      await writeFile(join(`${folder}.${gone}.old`, 'catalogue.json'), 'before');
      await requirePlace(folder);
      expect(await readFile(join(folder, 'catalogue.json'), 'utf8')).toBe('before');
      expect((await readdir(dirname(folder))).toSorted()).toEqual(['bundle', 'notes']);
    });

    it('keeps the new one, and what a run is still at', async () => {
      const home = await lay(['bundle/catalogue.json', `bundle.${gone}.old/catalogue.json`]);
      const folder = join(home, 'bundle');
      await mkdir(`${folder}.${process.pid}.old`);
      await requirePlace(folder);
      expect((await readdir(home)).toSorted()).toEqual(['bundle', `bundle.${process.pid}.old`]);
    });
  });

  it('never over a file, and as a .tar never over a folder', async () => {
    const file = join(await lay(['notes']), 'notes');
    await expect(write(file)).rejects.toMatchObject({ why: ['it is a file'] });
    expect(await readFile(file, 'utf8')).toBe('mine');
    const folder = join(await lay(['x.tar/mine']), 'x.tar');
    await expect(requirePlace(folder)).rejects.toMatchObject({ why: ['it is a folder'] });
  });

  it('or leaves what was there, and nothing beside it', async () => {
    const folder = await lay(['catalogue.json']);
    const before = (await readdir(home)).toSorted();
    await expect(write(folder, join(home, 'missing'))).rejects.toThrow('ENOENT');
    expect((await readdir(home)).toSorted()).toEqual(before);
    expect(await readFile(join(folder, 'catalogue.json'), 'utf8')).toBe('mine');
  });
});
