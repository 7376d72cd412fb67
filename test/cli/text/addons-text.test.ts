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
  images: [{ reference: 'kbs.local/busybox:1.0', from: 'bundle' }],
  needs: [],
  kubernetes: '1.16',
};
const web: ListedAddon = {
  ...storage,
  name: 'web',
  isInInventory: false,
  what: '/charts/web',
  needs: ['storage'],
};

const { images: _, ...own } = web;

it('add-ons are a line each, those of the inventory marked, with where their images come from', () => {
  const text = addonListText([storage, own], false);
  expect(stripVTControlCharacters(text)).toBe(
    '✔ storage  volumes; images: bundle\n  web      /charts/web; images: cannot tell',
  );
});

it('with more said, charts, images, where they come from, which cannot be had, and needs are named', () => {
  const lacking = 'the bundle was made without add-ons; make it with them';
  const images = [
    { reference: 'kbs.local/a:1', from: 'bundle', lacking },
    { reference: 'kbs.local/b:1', from: 'bundle', lacking },
    { reference: 'ghcr.io/web:1', from: 'ghcr.io' },
  ];
  const [first, ...lines] = stripVTControlCharacters(addonListText([{ ...web, images }], true)).split('\n');
  expect(first).toBe('  web  /charts/web; images: bundle, ghcr.io (not all can be had: -v says why)');
  expect(lines.map((line) => line.trim())).toEqual([
    'chart local-path-provisioner 0.0.30 from bundle',
    'release local-path-storage/local-path-provisioner',
    'image kbs.local/a:1 from the bundle',
    'image kbs.local/b:1 from the bundle',
    'image ghcr.io/web:1 from ghcr.io',
    `cannot be had: kbs.local/a:1, kbs.local/b:1: ${lacking}`,
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
