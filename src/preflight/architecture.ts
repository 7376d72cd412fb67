import { type Arch, architectures, archOfMachine, machineNames } from '../artifacts/arch.js';
import type { Facts } from '../hosts/facts/facts.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { ClusterFacts, FailedCheck, FailedHosts } from './check.js';

/** Whether kbs has programs for the processor at all. */
export const checkArchitecture = (_host: ClusterHost, { arch }: Facts): readonly FailedCheck[] => {
  if (arch === '') {
    return [
      {
        detail: 'cannot tell the architecture of the machine: `uname -m` printed nothing there',
        next: 'run `uname -m` on the host, and see why',
      },
    ];
  }
  if (archOfMachine(arch) !== undefined) return [];
  return [
    {
      detail: `the machine is ${arch}`,
      next: `kbs has programs for ${Object.values(machineNames).join(' and ')}: install a 64-bit system, or take another machine`,
    },
  ];
};

/** Hosts of each architecture that the bundle has nothing for. */
export const checkBundle = ({ facts, bundle }: Pick<ClusterFacts, 'facts' | 'bundle'>): FailedHosts => {
  const hostsOf = (wanted: Arch) =>
    [...facts].flatMap(([name, { arch }]) => (archOfMachine(arch) === wanted ? name : []));
  const needed = architectures.filter((arch) => bundle.includes(arch) || hostsOf(arch).length > 0);
  return needed
    .filter((arch) => !bundle.includes(arch))
    .map((arch) => ({
      hosts: hostsOf(arch),
      detail: `the bundle has nothing for ${arch}, which \`uname -m\` calls ${machineNames[arch]}`,
      next: `make one for all hosts: kbs bundle create --arch ${needed.join(',')}, or kbs bundle build with the same`,
    }));
};
