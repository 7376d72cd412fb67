import { contains } from '../addresses.js';
import { apiServerPort } from '../cluster.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import type { PartialHost, PartialInventory } from '../partial.js';
import { hasRole, hostsOf, rolesRead, segmentHolding } from '../partial.js';
import { defaults } from '../schema/schema.js';
import { isReserved } from './names.js';
import { endOf } from './networks.js';

/** The virtual address is free, and in the segment of every load balancer; its name is no host's; `dns` hosts have a zone. */
export const checkEndpoint = (draft: PartialInventory): readonly InventoryError[] => {
  const balancers = hostsOf(draft).filter(([, host]) => hasRole(host, 'load-balancer'));
  return [
    ...(draft.endpoint?.external === true ? checkExternal(draft, balancers) : checkOwn(draft, balancers)),
    ...checkFree(draft),
    ...checkName(draft, balancers),
    ...checkZone(draft),
    ...checkUseOnHosts(draft),
  ];
};

type Balancers = readonly (readonly [name: string, host: PartialHost])[];

const checkExternal = ({ endpoint = {} }: PartialInventory, balancers: Balancers): readonly InventoryError[] => {
  const path = ['endpoint', 'external'];
  const addressless =
    'vip' in endpoint || 'name' in endpoint
      ? []
      : [inventoryError(path, 'true needs endpoint.name or endpoint.vip: the address of the load balancer')];
  return [
    ...addressless,
    ...balancers
      .slice(0, 1)
      .map(([name]) =>
        inventoryError(path, `true contradicts the role load-balancer of ${name}; remove one of the two`),
      ),
  ];
};

const checkOwn = (draft: PartialInventory, balancers: Balancers): readonly InventoryError[] => {
  const path = ['endpoint', 'vip'];
  const endpoint = 'endpoint' in draft ? draft.endpoint : {};
  const [first] = balancers;
  if (endpoint === undefined || ('external' in endpoint && endpoint.external === undefined)) return [];
  if (!('vip' in endpoint)) return checkWithout(endpoint, balancers);
  const { vip } = endpoint;
  if (vip === undefined) return [];
  if (first === undefined) {
    return rolesRead(draft)
      ? [
          inventoryError(
            path,
            `${vip} is held by no host; give one of its segment the role load-balancer, or write external: true`,
          ),
        ]
      : [];
  }
  const located = balancers.flatMap(([name, { address }]) => {
    const cidr = address === undefined ? undefined : segmentHolding(draft, address)?.[1].cidr;
    return address === undefined || cidr === undefined ? [] : [{ name, address, cidr, near: contains(cidr, vip) }];
  });
  const far = located.filter(({ near }) => !near);
  if (far.length === located.length && far.length === balancers.length) {
    const cidrs = [...new Set(far.map(({ cidr }) => cidr))].join(', ');
    return [inventoryError(path, `${vip} is outside every load balancer's segment; write a free address of ${cidrs}`)];
  }
  return far.map(({ name, address }) =>
    inventoryError(
      ['hosts', name, 'address'],
      `${address} is in another segment than endpoint.vip, ${vip}, which every load balancer must be able to hold`,
    ),
  );
};

/** One load balancer is reached at its own address; several need one that they share. */
const checkWithout = (
  endpoint: NonNullable<PartialInventory['endpoint']>,
  balancers: Balancers,
): readonly InventoryError[] => {
  const [first, second] = balancers;
  if (first === undefined) return [];
  if (second !== undefined) {
    return [
      inventoryError(
        ['hosts', second[0], 'roles'],
        `${balancers.length} load balancers share endpoint.vip, which is missing; write a free address of their segment`,
      ),
    ];
  }
  const [name, host] = first;
  const port = 'port' in endpoint ? endpoint.port : defaults.port;
  return hasRole(host, 'control-plane') && port === apiServerPort
    ? [
        inventoryError(
          ['hosts', name, 'roles'],
          `the API server has port ${apiServerPort} of a control plane; write another endpoint.port, or an endpoint.vip for the load balancer`,
        ),
      ]
    : [];
};

const checkFree = (draft: PartialInventory): readonly InventoryError[] => {
  const vip = draft.endpoint?.vip;
  if (vip === undefined) return [];
  const path = ['endpoint', 'vip'];
  const owner = hostsOf(draft).find(
    ([, { address, addresses }]) => address === vip || Object.values(addresses ?? {}).includes(vip),
  );
  if (owner !== undefined)
    return [inventoryError(path, `${vip} is the address of ${owner[0]}; write one that no host has`)];
  const [segment, { cidr = '', gateway }] = segmentHolding(draft, vip) ?? ['', {}];
  if (segment === '') return [];
  const taken = vip === gateway ? 'gateway' : endOf(cidr, vip);
  return taken === undefined
    ? []
    : [inventoryError(path, `${vip} is the ${taken} of segment ${segment}; write an address that is free`)];
};

/**
 * A name with two addresses: hosts have that of a host in /etc/hosts, `dns` hosts answer for it in the zone. The host
 * that the endpoint leads to may lend its name.
 */
const checkName = (draft: PartialInventory, balancers: Balancers): readonly InventoryError[] => {
  const { endpoint = {}, dns } = draft;
  const { name } = endpoint;
  if (name === undefined) return [];
  const path = ['endpoint', 'name'];
  if (isReserved(name))
    return [inventoryError(path, `${name} is a name that every machine has for itself; write another`)];
  const all = hostsOf(draft);
  const owner = all.find(([host]) => name === host || (dns?.zone !== undefined && name === `${host}.${dns.zone}`))?.[0];
  const [balancer] = balancers[0] ?? all.find(([, host]) => hasRole(host, 'control-plane')) ?? [];
  const elsewhere = 'vip' in endpoint || endpoint.external === true || balancer !== owner;
  return owner === undefined || !elsewhere || !rolesRead(draft)
    ? []
    : [
        inventoryError(
          path,
          `${name} is the name of the host ${owner}, which has another address; write a name of its own`,
        ),
      ];
};

const checkZone = (draft: PartialInventory): readonly InventoryError[] => {
  const server = hostsOf(draft).find(([, host]) => hasRole(host, 'dns'));
  const dns = 'dns' in draft ? draft.dns : {};
  return server === undefined || dns === undefined || 'zone' in dns
    ? []
    : [
        inventoryError(
          ['hosts', server[0], 'roles'],
          'a dns host answers for dns.zone, which is missing; write one like hybrid.internal',
        ),
      ];
};

/** Where hosts use the `dns` hosts as resolvers, those need upstreams of their own, or queries would loop. */
const checkUseOnHosts = (draft: PartialInventory): readonly InventoryError[] => {
  const path = ['dns', 'useOnHosts'];
  const { dns } = draft;
  if (dns?.useOnHosts !== true) return [];
  const hasServer = hostsOf(draft).some(([, host]) => hasRole(host, 'dns'));
  return [
    ...(hasServer || !rolesRead(draft)
      ? []
      : [inventoryError(path, 'true needs a host with the role dns, for the hosts to ask')]),
    ...('upstreams' in dns && dns.upstreams?.length !== 0
      ? []
      : [inventoryError(path, 'true needs dns.upstreams: the resolvers that answer for everything else')]),
  ];
};
