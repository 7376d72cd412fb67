import { contains, nthAddress, overlaps, parseCidr } from '../addresses.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialInventory, PartialSegment } from '../partial.js';
import { complete, networkOr, segmentsOf } from '../partial.js';

/** The networks of segments, pods and Services are disjoint and large enough, and gateways are inside their segments. */
export const checkNetworks = (draft: PartialInventory): readonly InventoryError[] => [
  ...overlapsAmong(allNetworks(draft)),
  ...checkServices(draft),
  ...checkSegments(draft),
];

/** A network of the inventory, and where it stands there. */
export interface PlacedNetwork {
  readonly path: Path;
  readonly cidr: string;
}

/** A mistake for each network that overlaps one before it. */
export const overlapsAmong = (networks: readonly PlacedNetwork[]): readonly InventoryError[] =>
  networks.flatMap(({ path, cidr }, index) =>
    networks
      .slice(0, index)
      .filter((earlier) => overlaps(earlier.cidr, cidr))
      .map((earlier) =>
        inventoryError(
          path,
          `${cidr} overlaps ${earlier.path.join('.')}, ${earlier.cidr}; every network needs addresses of its own`,
        ),
      ),
  );

const allNetworks = (draft: PartialInventory): readonly PlacedNetwork[] =>
  [
    { path: ['network', 'pods'], cidr: networkOr(draft, 'pods') },
    { path: ['network', 'services'], cidr: networkOr(draft, 'services') },
    ...segmentsOf(draft).map(([name, { cidr }]) => ({ path: ['network', 'segments', name, 'cidr'], cidr })),
  ].flatMap(({ path, cidr }) => (cidr === undefined ? [] : [{ path, cidr }]));

/** Cluster DNS has the tenth address, as with kubeadm. */
const checkServices = (draft: PartialInventory): readonly InventoryError[] => {
  const services = networkOr(draft, 'services');
  return services !== undefined && (parseCidr(services)?.size ?? 0) < 16
    ? [
        inventoryError(
          ['network', 'services'],
          `${services} has no tenth address, which is that of cluster DNS; write a /28 or larger`,
        ),
      ]
    : [];
};

const checkSegments = (draft: PartialInventory): readonly InventoryError[] => {
  const segments = segmentsOf(draft);
  const none =
    segments.length === 0 && complete(draft.network?.segments)
      ? [inventoryError(['network', 'segments'], 'is empty; write the network that the hosts are in')]
      : [];
  return [...none, ...segments.flatMap(([name, segment]) => checkGateway(name, segment, segments.length > 1))];
};

const checkGateway = (name: string, segment: PartialSegment, several: boolean): readonly InventoryError[] => {
  const path = ['network', 'segments', name, 'gateway'];
  const { cidr, gateway } = segment;
  if (several && !('gateway' in segment)) {
    return [inventoryError(path, 'is missing; where there are several segments, each needs the address of its router')];
  }
  if (cidr === undefined || gateway === undefined) return [];
  if (!contains(cidr, gateway)) {
    return [inventoryError(path, `${gateway} is outside its segment ${cidr}; write the router's address inside`)];
  }
  const end = endOf(cidr, gateway);
  return end === undefined
    ? []
    : [inventoryError(path, `${gateway} is the ${end} of ${cidr}; write an address between its ends`)];
};

/** The name of an address that no machine may have in a network; undefined for all others. A /31 has none (RFC 3021). */
export const endOf = (cidr: string, address: string): 'network address' | 'broadcast address' | undefined => {
  const size = parseCidr(cidr)?.size ?? 0;
  if (size <= 2) return undefined;
  if (address === nthAddress(cidr, 0)) return 'network address';
  return address === nthAddress(cidr, size - 1) ? 'broadcast address' : undefined;
};
