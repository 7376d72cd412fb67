import type { InventoryError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { checkAddons } from './addons.js';
import { checkAddressPools } from './address-pools.js';
import { checkComponents } from './components.js';
import { checkControlPlanes } from './control-planes.js';
import { checkEndpoint } from './endpoint.js';
import { checkForwards } from './forwards.js';
import { checkHostAddresses } from './host-addresses.js';
import { checkIngress } from './ingress.js';
import { checkIpv6 } from './ipv6.js';
import { checkKubelet } from './kubelet.js';
import { checkNames } from './names.js';
import { checkNetworks } from './networks.js';
import { checkNodes } from './nodes.js';
import { checkPodNetwork } from './pod-network.js';
import { checkRecords } from './records.js';
import { checkRegistries } from './registries.js';
import { checkRouters } from './routers.js';
import { checkSources, type Known } from './sources.js';

/** Every contradiction between the fields of an inventory that could be read, and with what kbs knows. */
export const check = (draft: PartialInventory, known: Known): readonly InventoryError[] => [
  ...checkNames(draft),
  ...checkSources(draft, known),
  ...checkRegistries(draft),
  ...checkNetworks(draft),
  ...checkPodNetwork(draft),
  ...checkHostAddresses(draft),
  ...checkRouters(draft),
  ...checkIpv6(draft),
  ...checkNodes(draft),
  ...checkKubelet(draft),
  ...checkComponents(draft),
  ...checkControlPlanes(draft),
  ...checkEndpoint(draft),
  ...checkForwards(draft),
  ...checkRecords(draft),
  ...checkAddons(draft),
  ...checkAddressPools(draft),
  ...checkIngress(draft),
];
