import { groupingLimit, groupLines, routerLines } from './lines.js';
import { type Diagram, type DrawnSegment, grouped, type HostGroup } from './model.js';
import { badgeColors } from './palette.js';

/** A cluster as a Mermaid flowchart, which GitHub and GitLab draw in Markdown. */
export const mermaid = (diagram: Diagram): string => {
  const ids = new Map(diagram.segments.map(({ name }, index) => [name, `segment${index}`]));
  const podsOf = (segment: string): readonly string[] => {
    const { podCidr = '', ipv6 } = diagram.segments.find(({ name }) => name === segment) ?? {};
    return [`pods ${podCidr}`, ...(ipv6 === undefined ? [] : [`pods ${ipv6.podCidr}`])];
  };
  return [
    `%% ${diagram.name}, Kubernetes ${diagram.version}: written by kbs topology`,
    'flowchart TB',
    ...diagram.routers.map((router, index) => `  router${index}{{${label(routerLines(router))}}}:::router`),
    ...(diagram.etcd.length === 0 ? [] : [`  etcd[(${label(['external etcd', ...diagram.etcd])})]:::control-plane`]),
    ...diagram.segments.flatMap((segment, index) => subgraph(segment, index, diagram.api)),
    ...diagram.routers.flatMap(({ interfaces }, index) =>
      // Mermaid shows only one line as the name of a segment, so its pod CIDR is a label of the edge.
      interfaces.map(
        ({ segment, address }) => `  router${index} ---|${label([address, ...podsOf(segment)])}| ${ids.get(segment)}`,
      ),
    ),
    ...Object.entries(badgeColors).map(
      ([badge, { light }]) => `  classDef ${badge} fill:${light.fill},stroke:${light.text},color:${light.text}`,
    ),
    '',
  ].join('\n');
};

const subgraph = (segment: DrawnSegment, index: number, api: string): readonly string[] => {
  const balancers = (segment.vip?.hosts ?? []).flatMap((host) => grouped([host], groupingLimit));
  const node = (group: HostGroup, n: number): string =>
    `    host${index}x${n}[${label(groupLines(group))}]:::${group.badges[0] ?? 'worker'}`;
  return [
    `  subgraph segment${index}[${label([[segment.name, segment.cidr, ...(segment.ipv6 === undefined ? [] : [segment.ipv6.cidr])].join(' ')])}]`,
    ...(segment.vip === undefined ? [] : [`    vip([${label([api, segment.vip.address])}]):::load-balancer`]),
    ...[...balancers, ...grouped(segment.hosts, groupingLimit)].map(node),
    ...balancers.map((_, n) => `    vip --- host${index}x${n}`),
    '  end',
  ];
};

/** Escaped as Mermaid's own entities: a number sign, a name or a code, a semicolon. */
const label = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/[#"<>&;]/g, (one) => `#${one.charCodeAt(0)};`)).join('<br/>')}"`;
