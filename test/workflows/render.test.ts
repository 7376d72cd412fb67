import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { writeRendering } from '../../src/workflows/render.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-render-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a rendering of these hosts, one file each. */
const render = (...hosts: readonly string[]): Promise<void> =>
  writeRendering(new Map(hosts.map((host) => [`${host}/host.yaml`, `${host}\n`])), join(folder, 'out'));

const put = (path: string, text = 'mine\n'): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

/** Every file below the folder, path → text. */
const files = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );

describe('a rendering', () => {
  it('names what it wrote', async () => {
    await render('c0', 'w0');
    expect(files()).toEqual({
      'out/.kbs-render': 'c0\nw0\n',
      'out/c0/host.yaml': 'c0\n',
      'out/w0/host.yaml': 'w0\n',
    });
  });

  it('replaces the one before it, with the hosts that have left, and no file of the user', async () => {
    await render('c0', 'w0');
    put('out/w0/etc/key');
    put('out/notes/w0');
    await render('c0', 'w1');
    expect(files()).toEqual({
      'out/.kbs-render': 'c0\nw1\n',
      'out/c0/host.yaml': 'c0\n',
      'out/w1/host.yaml': 'w1\n',
      'out/notes/w0': 'mine\n',
    });
  });

  it('is written into a folder that is empty', async () => {
    mkdirSync(join(folder, 'out'));
    await render('c0');
    expect(files()).toHaveProperty(['out/c0/host.yaml']);
  });

  test.each([
    ['holds files and no rendering', { 'out/w0/notes': 'mine\n' }, 'it has no .kbs-render'],
    ['holds a folder of the user with the name of a host', { 'out/.kbs-render': '', 'out/w0/notes': '' }, 'w0 is not'],
    ['names a folder above', { 'out/.kbs-render': '..\n', notes: '' }, 'lists .., which'],
    ['names itself', { 'out/.kbs-render': 'c0\n.\n', 'out/c0/x': '' }, 'lists ., which'],
    ['names a path', { 'out/.kbs-render': '../notes\n', notes: '' }, 'lists ../notes, which'],
    ['names a path from the root', { 'out/.kbs-render': '/tmp\n', notes: '' }, 'lists /tmp, which'],
  ])('leaves a folder as it is that %s', async (_, before, why) => {
    for (const [path, text] of Object.entries(before)) put(path, text);
    await expect(render('c0', 'w0')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(join(folder, 'out')),
      why: [expect.stringContaining(why)],
      next: expect.stringContaining('kbs render'),
    });
    expect(files()).toEqual(before);
  });
});
