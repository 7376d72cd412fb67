import { architectureCheck, bundleCheck } from './architecture.js';
import type { Check } from './check.js';
import { hostnamesCheck, machineIdsCheck, macsCheck, productUuidsCheck, sshHostKeysCheck } from './clones.js';
import { clocksCheck, etcdDataCheck } from './cluster.js';
import { dropInsCheck, foreignCniCheck, foreignLinksCheck, foreignUnitCheck } from './conflicts.js';
import { dnsPortCheck, resolverCheck, upstreamResolverCheck } from './dns.js';
import { etcdChangeCheck, externalEndpointsCheck, externalEtcdCheck } from './external-etcd.js';
import { executableCheck, overlayCheck, spaceCheck, writableCheck } from './file-systems.js';
import { firewallCheck } from './firewall.js';
import { gpuCountCheck, gpuDeviceCheck, gpuFabricManagerCheck, gpuMigCheck, gpuPassthroughCheck } from './gpu.js';
import {
  gpuDriverCheck,
  gpuHeadersCheck,
  gpuLibraryCheck,
  gpuNouveauCheck,
  gpuSecureBootCheck,
  gpuToolkitCheck,
} from './gpu-driver.js';
import { clockSourceCheck, hypervisorsCheck, stealCheck } from './guests.js';
import { identityCheck } from './identity.js';
import { ipv6AddressCheck } from './ipv6.js';
import { kernelLogCheck } from './kernel-log.js';
import { kernelVersionCheck } from './kernel-version.js';
import { forwardingCheck, mtuCheck, mtusCheck } from './links.js';
import {
  addressCheck,
  cgroupCheck,
  kernelFeaturesCheck,
  rootCheck,
  swapCheck,
  systemdCheck,
  toolsCheck,
} from './machine.js';
import { endpointNameCheck, hostsLinesCheck } from './names.js';
import { foreignEtcdCheck, otherClusterCheck } from './other-clusters.js';
import { packagesCheck } from './packages.js';
import { nextHopsCheck, sourceAddressCheck, sourceAddressesCheck } from './paths.js';
import { portsCheck } from './ports.js';
import { defaultRouteCheck, networkOverlapCheck } from './routes.js';
import { selinuxCheck } from './security.js';
import { clockSynchronisedCheck, timeDaemonCheck } from './time.js';
import { routerIdCheck, vipFreeCheck, vipNetworkCheck } from './vip.js';

/**
 * Every check of preflight, in the order in which they are reported: what must be so of hosts before they are changed. The
 * documentation, `--skip-check` (by check-names.ts), the runs and `kbs preflight` all go by this list.
 */
export const checks: readonly Check[] = [
  rootCheck,
  systemdCheck,
  architectureCheck,
  addressCheck,
  ipv6AddressCheck,
  sourceAddressCheck,
  nextHopsCheck,
  cgroupCheck,
  swapCheck,
  kernelFeaturesCheck,
  toolsCheck,
  kernelVersionCheck,
  kernelLogCheck,
  writableCheck,
  executableCheck,
  overlayCheck,
  spaceCheck,
  selinuxCheck,
  packagesCheck,
  clockSynchronisedCheck,
  timeDaemonCheck,
  otherClusterCheck,
  portsCheck,
  firewallCheck,
  foreignCniCheck,
  foreignLinksCheck,
  foreignUnitCheck,
  dropInsCheck,
  dnsPortCheck,
  hostsLinesCheck,
  endpointNameCheck,
  resolverCheck,
  upstreamResolverCheck,
  vipNetworkCheck,
  defaultRouteCheck,
  networkOverlapCheck,
  mtuCheck,
  forwardingCheck,
  gpuDeviceCheck,
  gpuPassthroughCheck,
  gpuNouveauCheck,
  gpuSecureBootCheck,
  gpuHeadersCheck,
  gpuDriverCheck,
  gpuLibraryCheck,
  gpuToolkitCheck,
  gpuMigCheck,
  gpuFabricManagerCheck,
  gpuCountCheck,
  stealCheck,
  clockSourceCheck,
  etcdChangeCheck,
  externalEtcdCheck,
  machineIdsCheck,
  productUuidsCheck,
  macsCheck,
  sshHostKeysCheck,
  hostnamesCheck,
  hypervisorsCheck,
  sourceAddressesCheck,
  mtusCheck,
  clocksCheck,
  etcdDataCheck,
  foreignEtcdCheck,
  externalEndpointsCheck,
  identityCheck,
  bundleCheck,
  vipFreeCheck,
  routerIdCheck,
];
