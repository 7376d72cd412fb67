import type { AddressPool, LoadBalancerServicesAddon, Values } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';

/** Addresses on the LAN by MetalLB in L2 mode: one node of the segment answers ARP for an address. */
export const loadBalancerServices: AddonRecipe<LoadBalancerServicesAddon> = {
  name: 'load-balancer-services',
  what: 'addresses on the LAN for Services of type LoadBalancer, by MetalLB',
  release: 'metallb',
  namespace: 'metallb-system',
  images: ['metallb-controller', 'metallb-speaker'],
  kubernetes: '1.19',
  needs: [],
  leaves: 'Services keep the address in their status, and nothing answers for it any more',
  values: (_addon, _cluster, image) => ({
    controller: { image: { ...image('metallb-controller'), pullPolicy: 'IfNotPresent' }, readinessProbe: soon },
    speaker: {
      image: { ...image('metallb-speaker'), pullPolicy: 'IfNotPresent' },
      readinessProbe: soon,
      // Any worker may answer for addresses, with taints too; FRR is for BGP.
      tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
      frr: { enabled: false },
    },
  }),
  objects: ({ pools }) => pools.flatMap((pool, index) => [addressPool(pool, index === 0), advertisement(pool)]),
};

/** The annotation by which a Service asks for a pool, which has the name of its segment. */
export const poolAnnotation = 'metallb.io/address-pool';

/** Both are ready within a second or two; 10 s, as the chart has it, only add to that. */
const soon = { initialDelaySeconds: 1, periodSeconds: 2 };

const metadata = ({ segment: name }: AddressPool) => ({ name, namespace: 'metallb-system' });

/** Only the first gives addresses to Services that ask for no pool: from several, MetalLB would take any. */
const addressPool = (pool: AddressPool, isDefault: boolean): Values => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: metadata(pool),
  spec: { addresses: pool.ranges, autoAssign: isDefault },
});

/** Only a node of the segment is on the LAN that the addresses are of. */
const advertisement = (pool: AddressPool): Values => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: metadata(pool),
  spec: {
    ipAddressPools: [pool.segment],
    nodeSelectors: [{ matchLabels: { 'topology.kubernetes.io/zone': pool.segment } }],
  },
});
