import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { addonListText, addonStatusText, valuesText } from '../../../src/cli/text/addons-text.js';
import type { ListedAddon } from '../../../src/workflows/addons/list.js';

const storage: ListedAddon = {
  name: 'storage',
  isInInventory: true,
  what: 'volumes',
  release: 'local-path-provisioner',
  namespace: 'local-path-storage',
  chart: 'local-path-provisioner 0.0.30',
  source: 'bundle',
  images: ['kbs.local/busybox:1.0'],
  pulls: [],
  needs: [],
  kubernetes: '1.16',
};
const web: ListedAddon = {
  ...storage,
  name: 'web',
  isInInventory: false,
  what: '/charts/web',
  images: [],
  needs: ['storage'],
};

it('add-ons are a line each, those of the inventory marked', () => {
  const text = addonListText([storage, web], false);
  expect(stripVTControlCharacters(text)).toBe('✔ storage  volumes\n  web      /charts/web');
});

it('with more said, charts, images and needs are named', () => {
  const [, ...lines] = stripVTControlCharacters(
    addonListText([{ ...web, images: storage.images, pulls: ['ghcr.io/web:1'] }], true),
  ).split('\n');
  expect(lines.map((line) => line.trim())).toEqual([
    'chart local-path-provisioner 0.0.30 from bundle',
    'release local-path-storage/local-path-provisioner',
    'images kbs.local/busybox:1.0',
    'images that hosts fetch: ghcr.io/web:1',
    'needs storage',
    'Kubernetes 1.16 or newer',
  ]);
});

it('states stand below each other, and hold nothing that a terminal obeys', () => {
  const text = addonStatusText([
    { name: 'storage', release: 'a/storage', chart: 'storage 1.0', state: 'as wanted', ok: true },
    { name: 'web', release: 'apps/web', state: 'helm says \u001b[31mfailed', ok: false },
  ]);
  expect(stripVTControlCharacters(text).split('\n')).toEqual([
    '✔ storage  a/storage  storage 1.0  as wanted',
    expect.stringMatching(/^✘ web {6}apps\/web {16}helm says .*failed$/),
  ]);
  expect(text).not.toContain('helm says \u001b[31m');
  expect(addonStatusText([])).toMatch(/no add-ons/);
});

it('values are YAML', () => {
  expect(valuesText({ image: { tag: '1.0' }, list: [1] })).toBe('image:\n  tag: "1.0"\nlist:\n  - 1\n');
  expect(valuesText({})).toBe('{}\n');
});
