import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dot } from '../../src/diagram/dot.js';
import { html } from '../../src/diagram/html.js';
import { layoutOf } from '../../src/diagram/layout.js';
import { mermaid } from '../../src/diagram/mermaid.js';
import { diagramOf, hostsOf } from '../../src/diagram/model.js';
import { badgeColors, surface } from '../../src/diagram/palette.js';
import { svg } from '../../src/diagram/svg.js';
import { fitted, widthOf } from '../../src/diagram/text-width.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { anyCluster } from '../network/topologies.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { elementsOf } from './xml.js';

const inventory = (name: string): string => fileURLToPath(new URL(`../../inventories/${name}.yaml`, import.meta.url));
const example = async (name: string): Promise<Cluster> => (await loadCluster(inventory(name))).cluster;

/** To be read by people. After a change that is meant: npm run goldens */
const golden = (name: string, text: string): string => {
  const path = fileURLToPath(new URL(`../goldens/topology/${name}`, import.meta.url));
  if (process.env.KBS_GOLDENS === 'write') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return readFileSync(path, 'utf8');
};

describe.each(['single', 'two-segments', 'ha', 'web', 'dual-stack'])('the diagram of %s', (name) => {
  it.each([
    ['mmd', mermaid],
    ['dot', dot],
    ['svg', svg],
  ])('in %s is what the golden file says', async (ending, draw) => {
    const text = draw(diagramOf(await example(name)));
    expect(text).toBe(golden(`${name}.${ending}`, text));
  });
});

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('in every topology', () => {
  it('every host, segment and router is drawn once, in well-formed XML', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        const diagram = diagramOf(cluster);
        const elements = elementsOf(svg(diagram));
        const named = (attribute: string) =>
          elements.flatMap(({ attributes }) => attributes[attribute] ?? []).toSorted();
        expect(named('data-host')).toEqual(cluster.hosts.map(({ name }) => name).toSorted());
        expect(named('data-segment')).toEqual(cluster.network.segments.map(({ name }) => name).toSorted());
        expect(
          hostsOf(diagram)
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(named('data-host'));
      }),
      { numRuns: 40 },
    ));

  it('no two hosts and no two segments overlap, and all lie inside the drawing', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        const { cards, routers, width, height } = layoutOf(diagramOf(cluster));
        for (const boxes of [[...cards, ...routers], cards.flatMap(({ tiles }) => tiles)]) {
          for (const [index, a] of boxes.entries()) {
            expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
            for (const b of boxes.slice(index + 1)) {
              const disjoint =
                a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
              expect(disjoint).toBe(true);
            }
          }
        }
        for (const { tiles, ...card } of cards) {
          for (const tile of tiles) {
            expect(tile.x >= card.x && tile.x + tile.width <= card.x + card.width).toBe(true);
            expect(tile.y >= card.y && tile.y + tile.height <= card.y + card.height).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    ));
});

it.each(['single', 'two-segments', 'ha', 'gpu', 'hard-way', 'large', 'dual-stack'])(
  '%s has each address of a host once',
  async (name) => {
    const cluster = await example(name);
    const drawing = svg(diagramOf(cluster));
    for (const { name: host } of cluster.hosts) expect(count(drawing, `data-host="${host}"`)).toBe(1);
    const { vip } = cluster.endpoint;
    if (vip !== undefined) expect(count(drawing, `VIP ${vip}<`)).toBe(1);
  },
);

it('a hundred hosts are grouped and counted in Mermaid', async () => {
  const text = mermaid(diagramOf(await example('large')));
  expect(text.split('\n').length).toBeLessThan(40);
  expect(text).toContain('25 workers<br/>worker-1-00<br/>… worker-1-24');
});

it('free text is escaped in every language', () => {
  const sly = '"</title><script>alert(1)</script>&#';
  const host = hostOf({ name: 'sly', address: '192.168.10.30', segment: 'office', labels: { sly }, hypervisor: sly });
  const cluster = clusterOf();
  const diagram = diagramOf({ ...cluster, hosts: [...cluster.hosts, host] });
  expect(elementsOf(svg(diagram)).map(({ name }) => name)).not.toContain('script');
  expect(count(html(diagram), '<script')).toBe(1);
  expect(mermaid(diagram)).toContain('on #34;#60;/title#62;#60;script#62;alert(1)#60;/script#62;#38;#35;');
  expect(dot(diagram)).toContain('on \\"</title>');
});

it('the page loads no external resource', async () => {
  const page = html(diagramOf(await example('ha')));
  const links = [...page.matchAll(/\b(?:src|href|url)\b\s*[=(]/g)];
  expect(links).toEqual([]);
  expect([...page.matchAll(/https?:\/\/[^"\s<]+/g)].map(([link]) => link)).toEqual(['http://www.w3.org/2000/svg']);
});

it('a name that is too long ends in an ellipsis', () => {
  expect(fitted('lb-00', 100, 13)).toBe('lb-00');
  const short = fitted('a-host-name-that-never-ends-anywhere', 100, 13, 'bold');
  expect(short).toMatch(/^a-host-.*…$/);
  expect(widthOf(short, 13, 'bold')).toBeLessThanOrEqual(100);
});

/** WCAG 2.2, relative luminance. */
const luminance = (color: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a: string, b: string): number => {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

it.each(['light', 'dark'] as const)('every text has enough contrast in %s', (mode) => {
  const { ink, soft, page, card, tile } = surface[mode];
  for (const background of [page, card, tile]) {
    expect(contrast(ink, background)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(soft, background)).toBeGreaterThanOrEqual(4.5);
  }
  for (const modes of Object.values(badgeColors)) {
    expect(contrast(modes[mode].text, modes[mode].fill)).toBeGreaterThanOrEqual(4.5);
  }
});
