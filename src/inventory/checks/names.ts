import { dnsLabel, type Format, formatProblem, registryName } from '../formats.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';

/** Names of hosts and segments are RFC 1123 labels, because they are used in DNS, certificates and node labels. */
export const checkNames = (draft: PartialInventory): readonly InventoryError[] => [
  ...namesBelow(['network', 'segments'], draft.network?.segments),
  ...namesBelow(['hosts'], draft.hosts),
  ...namesBelow(['registries'], draft.registries, registryName),
  ...Object.keys(draft.hosts ?? {})
    .filter(isReserved)
    .map((name) =>
      inventoryKeyError(['hosts', name], 'is a name that stands for something else on every machine; write another'),
    ),
];

/**
 * Whether a name has a meaning of its own: on every machine (RFC 6761, and what distributions write into /etc/hosts), or
 * in the certificates of Kubernetes, where a kubelet of that name could pose as the API server.
 */
export const isReserved = (name: string): boolean =>
  /^(localhost[46]?|broadcasthost|kubernetes|ip6-(localhost|loopback|localnet|mcastprefix|all(nodes|routers|hosts)))$/.test(
    name,
  ) || /(^|\.)(localhost|localdomain)$/.test(name);

const namesBelow = (path: Path, record: object | undefined, format: Format = dnsLabel): readonly InventoryError[] =>
  Object.keys(record ?? {})
    .filter((name) => !format.accepts(name))
    .map((name) => inventoryKeyError([...path, name], `the name ${formatProblem(format, name)}`));
