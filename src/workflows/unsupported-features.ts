import { Failure, Failures } from '../failure.js';
import type { Cluster } from '../inventory/cluster.js';

/**
 * What an inventory may say and this release does not build yet. Reported before any host is contacted, and all at once.
 */
export const requireSupported = (cluster: Cluster): void => {
  const asked: readonly (readonly [boolean, string])[] = [
    [cluster.hosts.some((host) => host.gpu !== undefined), 'gpu'],
  ];
  const refused = asked.filter(([is]) => is);
  if (refused.length === 0) return;
  throw new Failures(
    refused.map(
      ([, what]) =>
        new Failure('inventory', `${what} is part of the inventory's format, and this release does not build it yet`, {
          next: 'leave it out, or wait for a release that says it does',
        }),
    ),
  );
};
