import { forwardText } from '../inventory/lan-services.js';
import { layoutOf } from './layout.js';
import { entrances, summary } from './lines.js';
import { element, escaped } from './markup.js';
import { type Connector, type Layout, metrics } from './measures.js';
import { type Badge, badges, badgesOf, counted, type Diagram, hostsOf } from './model.js';
import { cardShape, routerShape } from './svg-cards.js';
import { badgeShape, round, text } from './svg-parts.js';
import { svgStyle } from './svg-style.js';
import { fitted, widthOf } from './text-width.js';

/** A cluster as SVG, without external resources; it follows the reader's choice of light or dark. */
export const svg = (diagram: Diagram): string => {
  const layout = layoutOf(diagram);
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
    element('title', { id: 'kbs-title' }, escaped(`The network of ${diagram.name}`)),
    element('desc', { id: 'kbs-desc' }, escaped(description(diagram))),
    element('style', {}, svgStyle()),
    element('rect', { class: 'p', width: '100%', height: '100%' }),
    ...heading(diagram, width),
    ...layout.connectors.map(({ path }) => element('path', { class: 'w', d: path })),
    ...layout.routers.map(routerShape),
    ...layout.cards.map((card) => cardShape(card, diagram)),
    ...layout.connectors.flatMap(endLabels),
    ...legend(diagram, layout),
  ];
  return `${element('svg', attributes, `\n${inner.join('\n')}\n`)}\n`;
};

/** The diagram in words, for screen readers. */
const description = (diagram: Diagram): string => {
  const segments = diagram.segments.map(({ name, cidr, vip, hosts }) => {
    const members = [...(vip?.hosts ?? []), ...hosts].length;
    return `Segment ${name}, ${cidr}: ${counted(members, 'host')}${vip === undefined ? '' : `, virtual address ${vip.address}`}.`;
  });
  const routers = diagram.routers.map(
    ({ name, interfaces }) => `${name} joins ${interfaces.map(({ segment }) => segment).join(', ')}.`,
  );
  const forwards = diagram.forwards.map((forward) => `Port ${forwardText(forward)}.`);
  return [`API ${diagram.api}.`, ...forwards, ...routers, ...segments].join(' ');
};

const heading = (diagram: Diagram, width: number): readonly string[] => [
  text(diagram.name, { x: 32, y: 48, size: 24, weight: 700 }),
  text(summary(diagram, hostsOf(diagram).length), { x: 32, y: 73, size: 13, soft: true }),
  ...entrances(diagram).map((line, n) =>
    text(fitted(line, width - 64, 13), { x: 32, y: 93 + n * metrics.titleLine, size: 13, soft: true }),
  ),
];

/** A router's addresses where its connector meets its segments. */
const endLabels = ({ ends }: Connector): readonly string[] =>
  ends.map(({ x, y, address }) => {
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

/** The meaning of each color, with the number of hosts. */
const legend = (diagram: Diagram, { legend: y }: Layout): readonly string[] => {
  const hosts = hostsOf(diagram);
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
