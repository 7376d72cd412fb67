import { contains } from '../addresses.js';
import { didYouMean } from '../did-you-mean.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { entries, hasRole, hostsOf, items, networkOr } from '../partial.js';
import { resolveVersion } from '../version.js';

/** What an inventory may name, besides what is in it. */
export interface Known {
  /** Of Kubernetes, in the catalogue. */
  readonly versions: readonly string[];
  /** Of the internet, where something is published that clusters are made of; not checked where absent. */
  readonly hosts?: readonly string[] | undefined;
}

/** The Kubernetes version is known, the bundle is named, mirrors are of use, and upstream resolvers are other machines. */
export const checkSources = (draft: PartialInventory, { versions, hosts }: Known): readonly InventoryError[] => [
  ...checkVersion(draft.kubernetes?.version, versions),
  ...checkBundle(draft),
  ...checkMirrors(draft, hosts),
  ...checkFetch(draft),
  ...checkUpstreams(draft),
];

const checkVersion = (version: string | undefined, versions: readonly string[]): readonly InventoryError[] =>
  version === undefined || resolveVersion(version, versions) !== undefined
    ? []
    : [
        inventoryError(
          ['kubernetes', 'version'],
          `${version} is not in the catalogue; write one of ${versions.join(', ')}`,
        ),
      ];

const checkBundle = ({ artifacts }: PartialInventory): readonly InventoryError[] =>
  artifacts?.source === 'bundle' && !('bundle' in artifacts)
    ? [inventoryError(['artifacts', 'bundle'], 'is missing; the source bundle needs the path of one')]
    : [];

const checkMirrors = ({ artifacts }: PartialInventory, hosts: Known['hosts']): readonly InventoryError[] =>
  hosts === undefined
    ? []
    : Object.keys(artifacts?.mirrors ?? {})
        .filter((host) => !hosts.includes(host))
        .map((host) => {
          const meant = didYouMean(host, hosts);
          return inventoryKeyError(
            ['artifacts', 'mirrors', host],
            `is asked for nothing; ${meant === undefined ? `write one of ${hosts.join(', ')}` : `did you mean ${meant}?`}`,
          );
        });

const checkFetch = ({ artifacts }: PartialInventory): readonly InventoryError[] => {
  if (artifacts?.fetch !== 'hosts') return [];
  if (artifacts.bundle !== undefined) {
    return [
      inventoryError(['artifacts', 'fetch'], 'is hosts, which take nothing from the bundle; leave out one of them'),
    ];
  }
  return artifacts.source === 'upstream'
    ? []
    : [
        inventoryError(
          ['artifacts', 'fetch'],
          `is hosts, and the source is ${artifacts.source ?? 'auto'}; write source: upstream, or fetch: operator`,
        ),
      ];
};

/**
 * CoreDNS runs in a pod: a loopback address there is CoreDNS itself, and queries would loop. They would also loop where
 * one `dns` host asks another. What lies in the networks of pods and Services is found inside the cluster alone.
 */
const checkUpstreams = (draft: PartialInventory): readonly InventoryError[] => {
  const servers = new Map(
    hostsOf(draft)
      .filter(([, host]) => hasRole(host, 'dns'))
      .flatMap(([name, { address, addresses }]) =>
        [address, ...entries(addresses).map(([, each]) => each)].map((each) => [each, name] as const),
      ),
  );
  const inside = (['services', 'pods'] as const).flatMap((field) => {
    const cidr = networkOr(draft, field);
    return cidr === undefined ? [] : [{ field, cidr }];
  });
  const { endpoint } = draft;
  return items(draft.dns?.upstreams).flatMap((upstream, index) => {
    const path = ['dns', 'upstreams', index];
    const server = servers.get(upstream);
    if (server !== undefined) {
      return [
        inventoryError(path, `${upstream} is ${server}, a dns host, which forwards queries to the upstreams itself`),
      ];
    }
    const network = inside.find(({ cidr }) => contains(cidr, upstream));
    if (network !== undefined) {
      return [
        inventoryError(
          path,
          `${upstream} is inside network.${network.field}, ${network.cidr}; write the address of a resolver outside the cluster, or another network.${network.field}`,
        ),
      ];
    }
    if (upstream === endpoint?.vip && endpoint.external !== true) {
      return [
        inventoryError(path, `${upstream} is endpoint.vip, where the API answers; write the address of a resolver`),
      ];
    }
    return upstream.startsWith('127.')
      ? [
          inventoryError(
            path,
            `${upstream} is a loopback address, which in a pod is CoreDNS itself; write the address of a resolver`,
          ),
        ]
      : [];
  });
};
