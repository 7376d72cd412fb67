import { forwardText } from '../inventory/lan-services.js';
import {
  badges,
  badgeWord,
  counted,
  type Diagram,
  type DrawnRouter,
  type DrawnSegment,
  type HostGroup,
} from './model.js';

/** The lines of text in a node of Mermaid and DOT. */
export const groupLines = ({ badges: own, hosts }: HostGroup): readonly string[] => {
  const [first] = hosts;
  const last = hosts.at(-1);
  if (first === undefined || last === undefined) return [];
  if (first !== last) {
    const noun = badges[own[0] ?? 'worker'].noun;
    return [counted(hosts.length, noun), first.name, `… ${last.name}`, first.address, `… ${last.address}`];
  }
  return [
    first.name,
    first.address,
    own.map((badge) => badgeWord(badge, first, 'word')).join(', '),
    ...(first.podCidr === undefined ? [] : [`pods ${first.podCidr}`]),
    ...(first.ipv6 === undefined ? [] : [first.ipv6.address]),
    ...(first.ipv6?.podCidr === undefined ? [] : [`pods ${first.ipv6.podCidr}`]),
    ...first.forwards,
    ...(first.hypervisor === undefined ? [] : [`on ${first.hypervisor}`]),
  ];
};

export const segmentLines = ({ name, cidr, podCidr, ipv6 }: DrawnSegment): readonly string[] => [
  `${name} ${cidr}`,
  `pods ${podCidr}`,
  ...(ipv6 === undefined ? [] : [ipv6.cidr, `pods ${ipv6.podCidr}`]),
];

export const routerLines = ({ name, host }: DrawnRouter): readonly string[] => [
  name,
  host === undefined ? 'not in the inventory' : 'router',
];

/** `Kubernetes 1.36.3 · 8 hosts · …` */
export const summary = (diagram: Diagram, hosts: number): string =>
  [
    `Kubernetes ${diagram.version}`,
    counted(hosts, 'host'),
    counted(diagram.segments.length, 'segment'),
    `pods ${diagram.pods.join(', ')}`,
    `services ${diagram.services.join(', ')}`,
  ].join(' · ');

/** The ways into the cluster, and the etcd that it has outside: `API api.ha.internal:6443 · DNS zone …`, and on a second line what else there is. */
export const entrances = ({ api, external, etcd, forwards, dns }: Diagram): readonly string[] => {
  const names = (dns?.records ?? []).map(({ name }) => name.slice(0, -`.${dns?.zone}`.length));
  const first = [
    `API ${api}${external ? ' (external load balancer)' : ''}`,
    ...(etcd.length === 0 ? [] : [`external etcd ${etcd.join(', ')}`]),
    ...(dns === undefined ? [] : [`DNS zone ${dns.zone} on ${dns.servers.join(', ') || 'no host'}`]),
  ];
  const second = [
    ...(forwards.length === 0 ? [] : [`Ports ${forwards.map(forwardText).join(', ')}`]),
    ...(names.length === 0 ? [] : [`Names ${names.join(', ')}`]),
  ];
  return [first, second].filter((parts) => parts.length > 0).map((parts) => parts.join(' · '));
};

/** More hosts than this with the same badges are one node with a count. */
export const groupingLimit = 12;
