import type { Cluster } from '../inventory/cluster.js';
import { dialects } from '../network/router-dialects.js';
import { type UnmanagedRouter, unmanagedRouters } from '../network/routes.js';

/** The routers that kbs does not manage and that need routes to pods, which their owner must configure. */
export const routersToConfigure = (cluster: Cluster): readonly UnmanagedRouter[] =>
  unmanagedRouters(cluster).filter(({ required }) => required);

/** The routes that the owners of unmanaged routers must configure, as a text; undefined where there are none. */
export const routerAdvice = (cluster: Cluster): string | undefined => {
  const routers = routersToConfigure(cluster);
  if (routers.length === 0) return undefined;
  const texts = routers.map(
    ({ address, routes }) =>
      `The router ${address} is not in the inventory. It needs these routes:\n\n${dialects['ip-route'].print(routes)}`,
  );
  return `${texts.join('\n')}\nFor FRR, VyOS and Cisco see routers/ in: kbs render DIR\n`;
};

/**
 * The routes in every dialect, as files: `routers/ADDRESS/DIALECT.txt`. Also for a router that pods do not need: with
 * these routes, other machines of its segment reach pods.
 */
export const routerFiles = (cluster: Cluster): ReadonlyMap<string, string> =>
  new Map(
    unmanagedRouters(cluster).flatMap(({ address, routes }) =>
      Object.entries(dialects).map(
        ([dialect, { print }]) => [`routers/${address}/${dialect}.txt`, print(routes)] as const,
      ),
    ),
  );
