import type { ClusterHost } from '../inventory/cluster.js';
import { hostPackages, type PackageUse } from '../inventory/host-packages.js';
import type { PackageResource } from '../resources/resource.js';
import { artifactsOf } from './artifacts-of.js';
import type { PhaseContext } from './phase.js';

/**
 * The OS packages that a host needs for a use, from where the inventory has them come from. What the bundle brings goes
 * along only to a host that it is for; one that was not observed is taken for Debian 12.
 */
export const packagesFor = (use: PackageUse, host: ClusterHost, context: PhaseContext): readonly PackageResource[] => {
  const names = hostPackages(host, context.cluster)[use];
  if (names.length === 0) return [];
  const { system } = context.facts(host.name);
  const distribution = system === undefined ? 'debian-12' : `${system.id}-${system.version}`;
  const takesBundle = host.packages !== 'host' && host.packages !== 'none';
  const stored = takesBundle ? artifactsOf(host, context).repository(distribution) : undefined;
  return [
    {
      kind: 'package',
      names,
      ...(stored === undefined ? {} : { repository: { ...stored, distribution } }),
      ...(host.packages === 'bundle' || host.packages === 'none' ? { bundleOnly: true } : {}),
    },
  ];
};
