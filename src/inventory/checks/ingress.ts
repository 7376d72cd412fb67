import { ingressPorts } from '../cluster.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { hasRole, hostsOf, rolesRead } from '../partial.js';
import { defaults } from '../schema/schema.js';
import { checkBalancers } from './forwards.js';

/** The ingress controller runs on workers, and the load balancers pass its ports on where the endpoint says so. */
export const checkIngress = (draft: PartialInventory): readonly InventoryError[] => {
  const path = ['endpoint', 'ingress'];
  const isWanted = draft.endpoint?.ingress === true;
  // An add-on that could not be read is there as undefined.
  const isThere =
    Object.keys(draft.addons ?? {}).includes('ingress') || ('addons' in draft && draft.addons === undefined);
  const workers = hostsOf(draft).filter(([, host]) => hasRole(host, 'worker'));
  return [
    ...(isWanted && !isThere
      ? [inventoryError(path, 'needs the add-on ingress; write addons: { ingress: {} }, or delete this line')]
      : []),
    ...(isWanted ? checkBalancers(draft, path) : []),
    ...(draft.addons?.ingress && workers.length === 0 && rolesRead(draft)
      ? [inventoryKeyError(['addons', 'ingress'], 'runs on workers, and no host has that role')]
      : []),
    ...(isThere ? checkApiPort(draft, isWanted) : []),
    ...(draft.addons?.['cert-manager']?.acme !== undefined && !isThere
      ? [inventoryError(['addons', 'cert-manager', 'acme'], 'needs the add-on ingress, which answers for the names')]
      : []),
  ];
};

/** The API's port and the ingress controller's are ports of the same address. */
const checkApiPort = (draft: PartialInventory, isPassed: boolean): readonly InventoryError[] => {
  const port = draft.endpoint === undefined ? undefined : (draft.endpoint.port ?? defaults.port);
  const shared = hostsOf(draft).some(
    ([, host]) => hasRole(host, 'load-balancer') && (isPassed || hasRole(host, 'worker')),
  );
  return shared && ingressPorts.some((each) => each.port === port)
    ? [inventoryError(['endpoint', 'port'], `${port} is a port of the ingress controller there; write another`)]
    : [];
};
