import { groupingLimit, groupLines, routerLines, segmentLines } from './lines.js';
import { type Diagram, type DrawnSegment, grouped } from './model.js';
import { badgeColors } from './palette.js';

/** A cluster for Graphviz: `kbs topology -o dot | dot -Tpdf > ha.pdf`. */
export const dot = (diagram: Diagram): string =>
  [
    `graph ${quoted([diagram.name])} {`,
    '  graph [compound=true, fontname="sans-serif", rankdir=TB, nodesep=0.25, ranksep=0.4]',
    '  node [fontname="sans-serif", fontsize=11, shape=box, style="rounded,filled"]',
    '  edge [fontname="sans-serif", fontsize=10, color="#64748b"]',
    ...diagram.routers.map(
      (router, index) => `  router${index} [label=${quoted(routerLines(router))}, shape=hexagon, ${paint('router')}]`,
    ),
    ...(diagram.etcd.length === 0
      ? []
      : [`  etcd [label=${quoted(['external etcd', ...diagram.etcd])}, shape=cylinder, ${paint('control-plane')}]`]),
    ...diagram.segments.flatMap((segment, index) => cluster(segment, index, diagram.api)),
    ...diagram.routers.flatMap(({ interfaces }, index) =>
      interfaces.map(({ segment, address }) => {
        const n = diagram.segments.findIndex(({ name }) => name === segment);
        return `  router${index} -- segment${n} [lhead=cluster_${n}, label=${quoted([address])}]`;
      }),
    ),
    '}',
    '',
  ].join('\n');

const cluster = (segment: DrawnSegment, index: number, api: string): readonly string[] => {
  const balancers = (segment.vip?.hosts ?? []).flatMap((host) => grouped([host], groupingLimit));
  const hosts = grouped(segment.hosts, groupingLimit);
  const ids = [...balancers, ...hosts].map((_, n) => `host${index}x${n}`);
  // Invisible edges from each row to the next; without them Graphviz puts all hosts of a segment in one row.
  const [first, columns] = [balancers.length, 2];
  const below = ids.flatMap((id, n) => {
    const above = n < first ? 'anchor' : n < first + columns ? ids[Math.min(n - first, first - 1)] : ids[n - columns];
    return `    ${above === 'anchor' || above === undefined ? `segment${index}` : above} -- ${id} [style=invis]`;
  });
  return [
    `  subgraph cluster_${index} {`,
    `    label=${quoted(segmentLines(segment))}; style="rounded"; color="#94a3b8"; fontsize=12`,
    `    segment${index} [shape=point, style=invis]`,
    ...(segment.vip === undefined
      ? []
      : [
          `    vip [label=${quoted([api, segment.vip.address])}, shape=box, style="rounded,dashed"]`,
          `    segment${index} -- vip [style=invis]`,
        ]),
    ...[...balancers, ...hosts].map(
      (group, n) => `    ${ids[n]} [label=${quoted(groupLines(group))}, ${paint(group.badges[0] ?? 'worker')}]`,
    ),
    ...below,
    ...balancers.map((_, n) => `    vip -- ${ids[n]}`),
    '  }',
  ];
};

const paint = (badge: keyof typeof badgeColors): string => {
  const { fill, text } = badgeColors[badge].light;
  return `fillcolor="${fill}", color="${text}", fontcolor="${text}"`;
};

const quoted = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/[\\"]/g, '\\$&')).join('\\n')}"`;
