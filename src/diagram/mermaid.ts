import { few, routerLines, sortLines } from './lines.js';
import { type DrawnSegment, type Picture, type Sort, sorted } from './model.js';
import { badgeColours } from './palette.js';

/** A cluster as a Mermaid flowchart, which GitHub and GitLab draw where they show Markdown. */
export const mermaid = (picture: Picture): string => {
  const ids = new Map(picture.segments.map(({ name }, index) => [name, `segment${index}`]));
  const podsOf = (segment: string): string =>
    `pods ${picture.segments.find(({ name }) => name === segment)?.podCidr ?? ''}`;
  return [
    `%% ${picture.name}, Kubernetes ${picture.version}: written by kbs topology`,
    'flowchart TB',
    ...picture.routers.map((router, index) => `  router${index}{{${label(routerLines(router))}}}:::router`),
    ...picture.segments.flatMap((segment, index) => subgraph(segment, index, picture.api)),
    ...picture.routers.flatMap(({ legs }, index) =>
      // Mermaid keeps one line free for the name of a segment: its pods stand on the way to it.
      legs.map(
        ({ segment, address }) => `  router${index} ---|${label([address, podsOf(segment)])}| ${ids.get(segment)}`,
      ),
    ),
    ...Object.entries(badgeColours).map(
      ([badge, { light }]) => `  classDef ${badge} fill:${light.fill},stroke:${light.text},color:${light.text}`,
    ),
    '',
  ].join('\n');
};

const subgraph = (segment: DrawnSegment, index: number, api: string): readonly string[] => {
  const balancers = (segment.vip?.hosts ?? []).flatMap((host) => sorted([host], few));
  const node = (sort: Sort, n: number): string =>
    `    host${index}x${n}[${label(sortLines(sort))}]:::${sort.badges[0] ?? 'worker'}`;
  return [
    `  subgraph segment${index}[${label([`${segment.name} ${segment.cidr}`])}]`,
    ...(segment.vip === undefined ? [] : [`    vip([${label([api, segment.vip.address])}]):::load-balancer`]),
    ...[...balancers, ...sorted(segment.hosts, few)].map(node),
    ...balancers.map((_, n) => `    vip --- host${index}x${n}`),
    '  end',
  ];
};

/** Mermaid's own entities: a number sign, a name or a code, a semicolon. */
const label = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/[#"<>&;]/g, (one) => `#${one.charCodeAt(0)};`)).join('<br/>')}"`;
