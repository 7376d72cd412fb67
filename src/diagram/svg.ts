import { layoutOf } from './layout.js';
import { summary } from './lines.js';
import { element, escaped } from './markup.js';
import type { Layout, Wire } from './measures.js';
import { type Badge, badges, badgesOf, counted, hostsOf, type Picture } from './model.js';
import { cardShape, routerShape } from './svg-cards.js';
import { badgeShape, round, text } from './svg-parts.js';
import { svgStyle } from './svg-style.js';
import { widthOf } from './text-width.js';

/** A cluster as SVG: by itself it needs nothing from elsewhere, and follows the reader's choice of light or dark. */
export const svg = (picture: Picture): string => {
  const layout = layoutOf(picture);
  const { width, height } = layout;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: 'k',
    viewBox: `0 0 ${round(width)} ${round(height)}`,
    width: round(width),
    height: round(height),
    role: 'img',
    'aria-labelledby': 'kbs-title kbs-desc',
  };
  const inner = [
    element('title', { id: 'kbs-title' }, escaped(`The network of ${picture.name}`)),
    element('desc', { id: 'kbs-desc' }, escaped(description(picture))),
    element('style', {}, svgStyle()),
    element('rect', { class: 'p', width: '100%', height: '100%' }),
    ...heading(picture),
    ...layout.wires.map(({ path }) => element('path', { class: 'w', d: path })),
    ...layout.routers.map(routerShape),
    ...layout.cards.map((card) => cardShape(card, picture)),
    ...layout.wires.flatMap(plugs),
    ...legend(picture, layout),
  ];
  return `${element('svg', attributes, `\n${inner.join('\n')}\n`)}\n`;
};

/** The picture in words, for those who cannot see it. */
const description = (picture: Picture): string => {
  const segments = picture.segments.map(({ name, cidr, vip, hosts }) => {
    const members = [...(vip?.hosts ?? []), ...hosts].length;
    return `Segment ${name}, ${cidr}: ${counted(members, 'host')}${vip === undefined ? '' : `, virtual address ${vip.address}`}.`;
  });
  const routers = picture.routers.map(
    ({ name, legs }) => `${name} joins ${legs.map(({ segment }) => segment).join(', ')}.`,
  );
  return [`API ${picture.api}.`, ...routers, ...segments].join(' ');
};

const heading = (picture: Picture): readonly string[] => {
  const { name, api, external, dns } = picture;
  const second = [
    `API ${api}${external ? ' (balanced elsewhere)' : ''}`,
    ...(dns === undefined ? [] : [`DNS zone ${dns.zone} on ${dns.servers.join(', ') || 'no host'}`]),
  ].join(' · ');
  return [
    text(name, { x: 32, y: 48, size: 24, weight: 700 }),
    text(summary(picture, hostsOf(picture).length), { x: 32, y: 73, size: 13, soft: true }),
    text(second, { x: 32, y: 93, size: 13, soft: true }),
  ];
};

/** A router's address where its line meets the segment. */
const plugs = ({ plugs }: Wire): readonly string[] =>
  plugs.map(({ x, y, address }) => {
    const width = widthOf(address, 11, 'mono') + 16;
    return [
      element('rect', {
        class: 'b-router',
        x: round(x - width / 2),
        y: y - 10,
        width: round(width),
        height: 20,
        rx: 10,
      }),
      text(address, { x, y: y + 4, size: 11, mono: true, anchor: 'middle', badge: 'router' }),
    ].join('');
  });

/** What the colours mean, and how many there are of each. */
const legend = (picture: Picture, { legend: y }: Layout): readonly string[] => {
  const hosts = hostsOf(picture);
  let x = 32;
  return (Object.keys(badges) as readonly Badge[]).flatMap((badge) => {
    const count = hosts.filter((host) => badgesOf(host).includes(badge)).length;
    if (count === 0) return [];
    const label = counted(count, badges[badge].noun);
    const shape = badgeShape(badge, label, x, y);
    x += shape.width + 8;
    return [shape.markup];
  });
};
