import { defined } from '../../defined.js';
import { contains, isAddress } from '../addresses.js';
import type { ImportedSegment } from './segments.js';
import { decide, type NamedHost, note, type Remark, type ToolEndpoint, when } from './tool-cluster.js';

export interface ImportedEndpoint {
  /** As the inventory has it; undefined where it has none. */
  readonly is?: Readonly<Record<string, unknown>>;
  /** The names of the hosts that hold the virtual address. */
  readonly holders: readonly string[];
  readonly remarks: readonly Remark[];
}

/** Where clients reach the API: what the tool says of it, and what kbs needs where it says nothing. */
export const endpointOf = (
  tool: string,
  endpoint: ToolEndpoint | undefined,
  hosts: readonly NamedHost[],
  segments: readonly ImportedSegment[],
): ImportedEndpoint => {
  const controlPlanes = hosts.filter(({ roles }) => roles.includes('control-plane'));
  const { vip, external = false, extraNames = [] } = endpoint ?? {};
  const near = vip !== undefined && isAddress(vip) ? segments.find(({ cidr }) => contains(cidr, vip)) : undefined;
  const isNear = ({ address = '' }: NamedHost): boolean =>
    near !== undefined && isAddress(address) && contains(near.cidr, address);
  const holders = external ? [] : controlPlanes.filter(isNear).map(({ as }) => as);
  const known = new Set(hosts.flatMap(({ address, login, as }) => [address, login, as]));
  const others = extraNames.filter((name) => !known.has(name) && !/^127\.|^localhost/.test(name));
  const is = defined({ ...endpoint, extraNames: others.length > 0 ? others : undefined });
  const isWritten = Object.keys(is).length > 0;
  return {
    ...(isWritten ? { is } : {}),
    holders,
    remarks: [
      ...when(
        holders.length > 0,
        note(['endpoint'], 'the control planes of its segment hold the address: they have the role load-balancer, too'),
      ),
      ...when(
        vip !== undefined && !external && holders.length === 0,
        decide(
          ['endpoint', 'vip'],
          'no control plane is in the segment of this address; give a host there the role load-balancer',
        ),
      ),
      ...when(
        external,
        note(['endpoint'], 'a load balancer outside the cluster, which passes TCP to port 6443 of every control plane'),
      ),
      ...when(
        controlPlanes.length > 1 && vip === undefined && !external,
        decide(
          ['endpoint', 'vip'],
          `${controlPlanes.length} control planes need a load balancer before them, and ${tool} names none: give one or two hosts the role load-balancer and the endpoint a free address of their segment, or write external: true and the name of yours`,
          isWritten ? 'vip: ADDRESS' : 'endpoint: { vip: ADDRESS }',
        ),
      ),
      ...countRemarks(controlPlanes.length),
    ],
  };
};

const countRemarks = (count: number): readonly Remark[] => [
  ...when(count === 0, decide(['hosts'], 'no host is a control plane; give one, or three, the role')),
  ...when(
    count > 0 && count % 2 === 0,
    decide(
      ['hosts'],
      `${count} control planes make ${count} members of etcd; kbs has an odd number: take one away or add one`,
    ),
  ),
];
