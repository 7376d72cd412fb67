import type { ClusterHost } from '../inventory/cluster.js';
import type { PackageResource } from '../resources/resource.js';
import { artifactsOf } from './artifacts-of.js';
import type { PhaseContext } from './phase.js';

/**
 * OS packages from where the inventory has them come from. What the bundle brings goes along only to a host that it is for;
 * one that was not observed is taken for Debian 12.
 */
export const packages = (names: readonly string[], host: ClusterHost, context: PhaseContext): PackageResource => {
  const { system } = context.facts(host.name);
  const distribution = system === undefined ? 'debian-12' : `${system.id}-${system.version}`;
  const takesBundle = host.packages !== 'host' && host.packages !== 'none';
  const stored = takesBundle ? artifactsOf(host, context).repository(distribution) : undefined;
  return {
    kind: 'package',
    names,
    ...(stored === undefined ? {} : { repository: { ...stored, distribution } }),
    ...(host.packages === 'bundle' || host.packages === 'none' ? { bundleOnly: true } : {}),
  };
};
