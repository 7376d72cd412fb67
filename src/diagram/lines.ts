import { badges, counted, type DrawnRouter, type DrawnSegment, type Picture, type Sort } from './model.js';

/** The words of a node, line by line: what Mermaid and DOT write into it. */
export const sortLines = ({ badges: own, hosts }: Sort): readonly string[] => {
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
    own.map((badge) => badges[badge].word).join(', '),
    ...(first.podCidr === undefined ? [] : [`pods ${first.podCidr}`]),
    ...(first.hypervisor === undefined ? [] : [`on ${first.hypervisor}`]),
  ];
};

export const segmentLines = ({ name, cidr, podCidr }: DrawnSegment): readonly string[] => [
  `${name} ${cidr}`,
  `pods ${podCidr}`,
];

export const routerLines = ({ name, host }: DrawnRouter): readonly string[] => [
  name,
  host === undefined ? 'not in the inventory' : 'router',
];

/** `Kubernetes 1.36.3 · 8 hosts · …` */
export const summary = (picture: Picture, hosts: number): string =>
  [
    `Kubernetes ${picture.version}`,
    counted(hosts, 'host'),
    counted(picture.segments.length, 'segment'),
    `pods ${picture.pods}`,
    `services ${picture.services}`,
  ].join(' · ');

/** Above this, hosts of one sort are one node with their count. */
export const few = 12;
