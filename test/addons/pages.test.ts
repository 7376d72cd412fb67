import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { knownAddons } from '../../src/addons/index.js';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { readPage } from '../support/page.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const artifacts = placeholderArtifacts('1.36.3');

/** An inventory of two segments, with the addresses that pages have, and with what a page says in place of its own. */
const inventoryWith = (yaml: string): string => {
  const text = readFileSync(join(root, 'inventories/ha.yaml'), 'utf8');
  const own = parse(
    text.replaceAll('192.168.40.', '192.168.10.').replaceAll('192.168.50.', '192.168.20.'),
  ) as Inventory;
  const said = parse(yaml) as Inventory;
  return stringify({ ...own, ...said, network: { ...own.network, ...said.network } });
};

type Inventory = Readonly<Record<string, object>>;

describe.each(knownAddons)(
  'the page of $name',
  ({ name, release, namespace, images, pulls = [], published, kubernetes, needs }) => {
    const path = `docs/addons/${name}.md`;
    const text = readFileSync(join(root, path), 'utf8');

    it('says what it installs, its proof, its data, and how to take it away', () => {
      expect(text.match(/^## .*/gm)).toEqual(['## What it installs', '## Proof', '## Data', '## Take it away']);
      expect(text.startsWith(`# ${name}\n`)).toBe(true);
      const chart = published ?? artifacts.chart(name);
      expect(text).toContain(`\`${namespace}/${release}\`, chart ${chart.name} ${chart.version}, `);
      expect(text).toContain(`| Kubernetes | ${kubernetes} `);
      expect(text).toContain(`kbs addons remove ${name}`);
      for (const need of needs) expect(text).toContain(`\`${need}\``);
    });

    it('names every image', () => {
      for (const image of images) expect(text).toContain(`\`${referenceOf(artifacts, image)}\``);
      // Several of one registry are named without it.
      const named = pulls.map((reference) => reference.slice(reference.lastIndexOf('/') + 1));
      expect(named.filter((each) => !text.includes(`${each}\``))).toEqual([]);
    });

    it('has an inventory that kbs takes', async () => {
      const [first = ''] = readPage(path).yaml;
      const { cluster } = await loadCluster(join(root, 'inventories/ha.yaml'), inventoryWith(first));
      expect(cluster.addons?.map((addon) => addon.name)).toContain(name);
    });

    it('is one that the overview leads to', () => {
      expect(readFileSync(join(root, 'docs/addons.md'), 'utf8')).toContain(`| [${name}](addons/${name}.md) |`);
    });
  },
);

describe('the page about an HA Rancher', () => {
  const file = join(root, 'inventories/rancher.yaml');
  const inventory = parse(readFileSync(file, 'utf8')) as Inventory;
  const [whole = '', certificate = '', second = ''] = readPage('docs/rancher.md').yaml;

  it('has the inventory of inventories/rancher.yaml', () => {
    expect(inventory).toMatchObject(parse(whole) as Inventory);
  });

  it('has changes of it that kbs takes: a certificate of another authority, and a second load balancer', async () => {
    const addons = { ...inventory.addons, ...(parse(certificate) as Inventory) };
    const { cluster } = await loadCluster(file, stringify({ ...inventory, addons }));
    expect(cluster.addons).toContainEqual(
      expect.objectContaining({ values: expect.objectContaining({ privateCA: false }) }),
    );
    const hosts = { ...inventory.hosts, ...(parse(second) as Inventory) };
    expect((await loadCluster(file, stringify({ ...inventory, hosts }))).cluster.hosts).toHaveLength(5);
  });
});

it('the page about Prometheus and Grafana has inventories that kbs takes', async () => {
  const file = join(root, 'inventories/monitored.yaml');
  const inventory = parse(readFileSync(file, 'utf8').replaceAll('monitored.internal', 'hybrid.internal')) as Inventory;
  const [first = '', ...others] = readPage('docs/monitoring.md').yaml;
  const addons = (parse(first) as Inventory).addons;
  expect(others).toHaveLength(2);
  for (const each of ['{}', ...others]) {
    const said = { ...inventory, addons: { ...addons, ...(parse(each) as Inventory) } };
    const { cluster } = await loadCluster(file, stringify(said));
    expect(cluster.addons?.map(({ name }) => name)).toContain('monitoring');
  }
});
