import { connectorOf } from './connector.js';
import { entrances } from './lines.js';
import { type Box, type Card, type Layout, metrics, type Placed } from './measures.js';
import type { Diagram, DrawnHost, DrawnSegment } from './model.js';
import { widthOf } from './text-width.js';

const { margin, card, gap, band, lane, router } = metrics;

/** Segments side by side, hosts in columns inside them, routers above with a line to each of their segments. */
export const layoutOf = (diagram: Diagram): Layout => {
  const tile = tileHeight(diagram);
  const sizes = diagram.segments.map((segment) => sizeOf(segment, tile, diagram));
  const rows = rowsOf(sizes.map(({ width }) => width));
  const [routerRow, lanes] = [diagram.routers.length > 0 ? router.height : 0, diagram.routers.length * lane];
  const lines = entrances(diagram);
  const titles = Math.max(...lines.map((line) => widthOf(line, 13))) + 2 * margin;
  const head = metrics.title + (lines.length - 1) * metrics.titleLine;
  const trunk = rows.length > 1 ? diagram.routers.length * 12 + 12 : 0;
  const rowWidth = (row: readonly number[]): number =>
    row.reduce((sum, index) => sum + (sizes[index]?.width ?? 0) + card.between, -card.between);
  const inner = Math.max(
    ...rows.map(rowWidth),
    diagram.routers.length * (router.width + card.between) - card.between,
    Math.min(titles, 900),
    620,
  );
  const width = inner + 2 * margin + trunk;

  const cards: Card[] = [];
  const tops: number[] = [];
  let y: number = head + margin / 2 + routerRow;
  for (const row of rows) {
    tops.push(y);
    y += diagram.routers.length > 0 ? lanes + 40 : 0;
    let x = margin + trunk + (inner - rowWidth(row)) / 2;
    const height = Math.max(...row.map((index) => sizes[index]?.height ?? 0));
    for (const index of row) {
      const [segment, size] = [diagram.segments[index], sizes[index]];
      if (segment === undefined || size === undefined) continue;
      cards.push(cardAt(segment, { x, y, width: size.width, height: size.height }, size, tile));
      x += size.width + card.between;
    }
    y += height + 8;
  }
  const start = (width - diagram.routers.length * (router.width + card.between) + card.between) / 2;
  const routers = diagram.routers.map((of, index) => ({
    of,
    x: start + index * (router.width + card.between),
    y: head + margin / 2,
    ...router,
  }));
  const connectors = routers.map((one, index) => connectorOf(one, index, { cards, tops, diagram }));
  return { width, height: y + 70, routers, cards, connectors, legend: y + 22 };
};

const tileHeight = ({ segments }: Diagram): number => {
  const drawn = segments.flatMap(({ vip, hosts }) => [...(vip?.hosts ?? []), ...hosts]);
  const more = [drawn.some((host) => host.hypervisor), drawn.some((host) => host.ipv6)].filter(Boolean).length;
  return metrics.tile.line * (2 + more) + metrics.tile.pad;
};

interface Size {
  readonly width: number;
  readonly height: number;
  readonly columns: number;
}

const sizeOf = (segment: DrawnSegment, tile: number, { routers }: Diagram): Size => {
  const { name, hosts, vip, routes, cidr, podCidr, ipv6 } = segment;
  const count = hosts.length + (vip?.hosts.length ?? 0);
  const wanted = count <= 4 ? 1 : count <= 40 ? 2 : count <= 120 ? 3 : 4;
  const columns = Math.max(wanted, (vip?.hosts.length ?? 0) > 1 ? 2 : 1);
  const interfaces = routers.filter((one) => one.interfaces.some(({ segment }) => segment === name)).length;
  const tiles = columns * (metrics.tile.width + gap) - gap + (vip === undefined ? 0 : 2 * band.pad);
  return {
    columns,
    width:
      2 * card.pad +
      Math.max(
        tiles,
        interfaces * metrics.endSpacing,
        widthOf(`${cidr}pods ${podCidr}`, 11, 'mono') + 24,
        ipv6 === undefined ? 0 : widthOf(`${ipv6.cidr}pods ${ipv6.podCidr}`, 11, 'mono') + 24,
      ),
    height:
      headOf(segment) +
      (vip === undefined ? 0 : band.head + linesOf(vip.hosts.length, columns) * (tile + gap) + band.pad) +
      linesOf(hosts.length, columns) * (tile + gap) +
      footHeight(routes.length) +
      card.pad,
  };
};

/** One line more for networks of IPv6. */
const headOf = ({ ipv6 }: DrawnSegment): number => card.head + (ipv6 === undefined ? 0 : 16);

const linesOf = (count: number, columns: number): number => Math.ceil(count / columns);

const footHeight = (routes: number): number =>
  routes === 0 ? 0 : 24 + Math.min(routes, metrics.routes + 1) * metrics.routeLine;

/** As few rows as the width allows, with about the same number of cards in each. */
const rowsOf = (widths: readonly number[]): readonly (readonly number[])[] => {
  const total = widths.reduce((sum, width) => sum + width + card.between, 0);
  const each = Math.ceil(widths.length / Math.ceil(total / metrics.row));
  return Array.from({ length: Math.ceil(widths.length / each) }, (_, row) =>
    [...widths.keys()].slice(row * each, (row + 1) * each),
  );
};

const cardAt = (of: DrawnSegment, box: Box, { columns }: Size, tile: number): Card => {
  const tiles: Placed<DrawnHost>[] = [];
  const indent = of.vip === undefined ? 0 : band.pad;
  const left = box.x + card.pad + indent;
  const width = (box.width - 2 * (card.pad + indent) + gap) / columns - gap;
  const put = (hosts: readonly DrawnHost[], from: number): number => {
    for (const [index, host] of hosts.entries()) {
      const [column, line] = [index % columns, Math.floor(index / columns)];
      tiles.push({
        of: host,
        x: left + column * (width + gap),
        y: from + line * (tile + gap),
        width,
        height: tile,
      });
    }
    return from + linesOf(hosts.length, columns) * (tile + gap);
  };
  const top = box.y + headOf(of);
  if (of.vip === undefined) return { of, ...box, tiles, foot: put(of.hosts, top) };
  const end = put(of.vip.hosts, top + band.head);
  const around = { x: box.x + card.pad, y: top, width: box.width - 2 * card.pad, height: end - top - gap + band.pad };
  return { of, ...box, tiles, band: around, foot: put(of.hosts, end + band.pad) };
};
