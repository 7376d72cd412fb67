import type { Cluster } from '../inventory/cluster.js';
import { dialects } from '../network/router-dialects.js';
import { type UnmanagedRouter, unmanagedRouters } from '../network/routes.js';

/** The routers that kbs does not manage, and that pods need: their routes must be set by hand. */
export const routersToTell = (cluster: Cluster): readonly UnmanagedRouter[] =>
  unmanagedRouters(cluster).filter(({ required }) => required);

/** The routes that must be set by hand on routers that kbs does not manage, as one text; undefined where there are none. */
export const routerAdvice = (cluster: Cluster): string | undefined => {
  const routers = routersToTell(cluster);
  if (routers.length === 0) return undefined;
  const texts = routers.map(
    ({ address, routes }) =>
      `The router ${address} is not in the inventory. It needs these routes:\n\n${dialects['ip-route'].print(routes)}`,
  );
  return `${texts.join('\n')}\nFor FRR, VyOS and Cisco see routers/ in: kbs render DIR\n`;
};

/**
 * The same in every dialect, as files: `routers/ADDRESS/DIALECT.txt`. Also for a router that pods do not need: with
 * these routes, other machines of its segment can call pods.
 */
export const routerFiles = (cluster: Cluster): ReadonlyMap<string, string> =>
  new Map(
    unmanagedRouters(cluster).flatMap(({ address, routes }) =>
      Object.entries(dialects).map(
        ([dialect, { print }]) => [`routers/${address}/${dialect}.txt`, print(routes)] as const,
      ),
    ),
  );
