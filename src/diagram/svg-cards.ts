import { routerLines } from './lines.js';
import { element, escaped } from './markup.js';
import { type Box, type Card, metrics, type Placed } from './measures.js';
import { badgesOf, badgeWord, counted, type Diagram, type DrawnHost, type DrawnRouter } from './model.js';
import { badgeShape, badgeWidth, round, text } from './svg-parts.js';
import { fitted, widthOf } from './text-width.js';

/** A segment with its hosts, the virtual address around its load balancers, and the routes to other segments. */
export const cardShape = (card: Card, { api }: Diagram): string => {
  const { of: segment, x, y, width } = card;
  const left = x + metrics.card.pad;
  const right = x + width - metrics.card.pad;
  const count = counted(card.tiles.length, 'host');
  return element(
    'g',
    { 'data-segment': segment.name },
    [
      rect('c', card, 14),
      text(fitted(segment.name, width / 2 - 20, 16, 'bold'), { x: left, y: y + 34, size: 16, weight: 700 }),
      text(count, { x: right, y: y + 34, size: 12, soft: true, anchor: 'end' }),
      text(segment.cidr, { x: left, y: y + 53, size: 11, mono: true, soft: true }),
      text(`pods ${segment.podCidr}`, { x: right, y: y + 53, size: 11, mono: true, soft: true, anchor: 'end' }),
      ...(segment.ipv6 === undefined
        ? []
        : [
            text(segment.ipv6.cidr, { x: left, y: y + 69, size: 11, mono: true, soft: true }),
            text(`pods ${segment.ipv6.podCidr}`, {
              x: right,
              y: y + 69,
              size: 11,
              mono: true,
              soft: true,
              anchor: 'end',
            }),
          ]),
      ...(card.band === undefined || segment.vip === undefined ? [] : [bandShape(card.band, api, segment.vip.address)]),
      ...card.tiles.map(tileShape),
      ...foot(card),
    ].join('\n'),
  );
};

/** Dashed, because the address moves between these hosts. */
const bandShape = (band: Box, api: string, address: string): string => {
  const room = band.width - widthOf(`VIP ${address}`, 12, 'mono') - 40;
  return [
    rect('v', band, 10),
    text(fitted(api, room, 12.5, 'bold'), { x: band.x + 12, y: band.y + 20, size: 12.5, weight: 600 }),
    text(`VIP ${address}`, {
      x: band.x + band.width - 12,
      y: band.y + 20,
      size: 12,
      mono: true,
      anchor: 'end',
      badge: 'load-balancer',
    }),
  ].join('');
};

/** Name and roles; below them address and pod CIDR, and the address of IPv6. The rest is in a tooltip. */
const tileShape = ({ of: host, x, y, width, height }: Placed<DrawnHost>): string => {
  const own = badgesOf(host);
  const spelled = (length: 'word' | 'short') => own.map((badge) => ({ badge, word: badgeWord(badge, host, length) }));
  const roomBeside = (words: ReturnType<typeof spelled>): number =>
    words.reduce((room, { word }) => room - badgeWidth(word) - 4, width - 20);
  const words = widthOf(host.name, 13, 'bold') <= roomBeside(spelled('word')) ? spelled('word') : spelled('short');
  let end = x + width - 8;
  const marks = words.toReversed().map(({ badge, word }) => {
    end -= badgeWidth(word);
    const { markup } = badgeShape(badge, word, end, y + 6);
    end -= 4;
    return markup;
  });
  return element(
    'g',
    { 'data-host': host.name },
    [
      element('title', {}, escaped(tooltip(host))),
      rect('t', { x, y, width, height }, 7),
      element('rect', {
        class: `x-${own[0] ?? 'worker'}`,
        x: round(x),
        y: round(y + 6),
        width: 3,
        height: height - 12,
        rx: 1.5,
      }),
      text(fitted(host.name, roomBeside(words), 13, 'bold'), { x: x + 12, y: y + 20, size: 13, weight: 600 }),
      ...marks,
      text(host.address, { x: x + 12, y: y + 38, size: 11, mono: true }),
      ...(host.podCidr === undefined
        ? []
        : [text(host.podCidr, { x: x + width - 9, y: y + 38, size: 11, mono: true, soft: true, anchor: 'end' })]),
      ...(host.ipv6 === undefined ? [] : [text(host.ipv6.address, { x: x + 12, y: y + 55, size: 11, mono: true })]),
      ...(host.hypervisor === undefined
        ? []
        : [
            text(fitted(`on ${host.hypervisor}`, width - 24, 11), {
              x: x + 12,
              y: y + (host.ipv6 === undefined ? 55 : 72),
              size: 11,
              soft: true,
            }),
          ]),
    ].join(''),
  );
};

const tooltip = ({ name, address, roles, podCidr, ipv6, gpu, hypervisor, labelsAndTaints }: DrawnHost): string =>
  [
    name,
    `${address}, ${roles.join(', ')}`,
    ...(podCidr === undefined ? [] : [`pods ${podCidr}`]),
    ...(ipv6 === undefined ? [] : [ipv6.address]),
    ...(ipv6?.podCidr === undefined ? [] : [`pods ${ipv6.podCidr}`]),
    ...(gpu === undefined ? [] : [`GPU ${gpu}`]),
    ...(hypervisor === undefined ? [] : [`on ${hypervisor}`]),
    ...labelsAndTaints,
  ].join('\n');

const foot = ({ of: { routes, gateway }, x, width, foot: y }: Card): readonly string[] => {
  if (routes.length === 0) return [];
  const left = x + metrics.card.pad;
  const line = (index: number): number => y + 32 + index * metrics.routeLine;
  const rest = routes.length - metrics.routes;
  const vias = new Set(routes.map(({ via }) => via));
  const same = vias.size === 1 ? ` via ${[...vias][0] ?? gateway ?? ''}` : '';
  return [
    text(fitted(`Pods elsewhere${same}`, width - 28, 12, 'bold'), {
      x: left,
      y: y + 14,
      size: 12,
      weight: 600,
      soft: true,
    }),
    ...routes.slice(0, metrics.routes).map(({ segment, to, via }, index) => {
      const where = `${to}${same === '' ? ` via ${via}` : ''}  ${segment}`;
      return text(fitted(where, width - 28, 11, 'mono'), { x: left, y: line(index), size: 11, mono: true, soft: true });
    }),
    ...(rest > 0
      ? [text(`and ${rest} more segments`, { x: left, y: line(metrics.routes), size: 11, soft: true })]
      : []),
  ];
};

/** A router and the number of pod routes that it needs. */
export const routerShape = ({ of, x, y, width, height }: Placed<DrawnRouter>): string => {
  const name = of.host === undefined ? of.name.replace(/^router /, '') : of.name;
  const [, kind = ''] = routerLines(of);
  const detail = of.interfaces.length > 1 ? `${kind} · ${counted(of.podRoutes, 'pod route')}` : kind;
  return element(
    'g',
    of.host === undefined ? {} : { 'data-host': of.name },
    [
      element('title', {}, escaped(of.host === undefined ? of.name : tooltip(of.host))),
      rect('c', { x, y, width, height }, 12),
      element('rect', { class: 'x-router', x: round(x), y: round(y + 10), width: 3, height: height - 20, rx: 1.5 }),
      text(fitted(name, width - 28, 14, 'bold'), { x: x + 14, y: y + 21, size: 14, weight: 700 }),
      text(fitted(detail, width - 28, 12), { x: x + 14, y: y + 39, size: 12, soft: true }),
    ].join(''),
  );
};

const rect = (kind: string, { x, y, width, height }: Box, rx: number): string =>
  element('rect', { class: kind, x: round(x), y: round(y), width: round(width), height: round(height), rx });
