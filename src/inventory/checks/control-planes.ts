import type { InventoryError } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { allRead, complete, hasRole, hostsOf } from '../partial.js';

/** An odd number of control planes where each has a member of etcd, and one endpoint for them. */
export const checkControlPlanes = (draft: PartialInventory): readonly InventoryError[] => {
  const readable = complete(draft.hosts, 'roles') && hostsOf(draft).every(([, host]) => allRead(host.roles));
  const count = hostsOf(draft).filter(([, host]) => hasRole(host, 'control-plane')).length;
  // A host that could not be read may be a control plane.
  if (readable && count === 0) {
    return [
      inventoryKeyError(
        ['hosts'],
        'no host has the role control-plane; give it to one, or to three in separate places',
      ),
    ];
  }
  const even =
    readable && count % 2 === 0 && !hasExternalEtcd(draft)
      ? [
          inventoryKeyError(
            ['hosts'],
            `${count} control planes make ${count} etcd members, which survive no more failures than ${count - 1}; have ${count - 1} or ${count + 1}`,
          ),
        ]
      : [];
  const unreachable =
    readable && count > 1 && hasNoBalancer(draft)
      ? [
          inventoryKeyError(
            ['hosts'],
            `${count} control planes need a load balancer before them; give one or two hosts the role load-balancer, or write endpoint.external: true for a load balancer outside the cluster`,
          ),
        ]
      : [];
  return [...even, ...unreachable];
};

/** A field that could not be read may be one that is right. */
const hasExternalEtcd = ({ kubernetes }: PartialInventory): boolean => {
  if (kubernetes === undefined || !('etcd' in kubernetes)) return false;
  return kubernetes.etcd === undefined || 'external' in kubernetes.etcd;
};

/** No load balancer and no virtual address; a virtual address without a holder is reported by `checkEndpoint`. */
const hasNoBalancer = (draft: PartialInventory): boolean => {
  const endpoint = 'endpoint' in draft ? draft.endpoint : {};
  if (endpoint === undefined || 'vip' in endpoint) return false;
  const external = 'external' in endpoint && endpoint.external !== false;
  return !external && !hostsOf(draft).some(([, host]) => hasRole(host, 'load-balancer'));
};
