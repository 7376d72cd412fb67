import { type Arch, architectures, archOfMachine, machineNames } from '../artifacts/arch.js';
import type { ClusterCheck, ClusterFacts, HostCheck } from './check.js';

/** Whether kbs has programs for the processor at all. */
export const architectureCheck = {
  name: 'architecture',
  scope: 'host',
  summary: 'the processor is one that kbs has programs for: x86_64 or aarch64',
  fix: 'install a 64-bit system, or take another machine',
  check: (_host, { arch }) => {
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
  },
} satisfies HostCheck;

/** Hosts of each architecture that the bundle has nothing for. */
export const bundleCheck = {
  name: 'architecture',
  scope: 'cluster',
  summary: 'the bundle, where there is one, has programs for the processor of every host',
  fix: 'make one that has: kbs bundle create --arch amd64,arm64, or kbs bundle build with the same',
  check: ({ facts, bundle, cluster }: Pick<ClusterFacts, 'facts' | 'bundle' | 'cluster'>) => {
    const hostsOf = (wanted: Arch) =>
      [...facts].flatMap(([name, { arch }]) => (archOfMachine(arch) === wanted ? name : []));
    const needed = architectures.filter((arch) => bundle.includes(arch) || hostsOf(arch).length > 0);
    return needed
      .filter((arch) => !bundle.includes(arch))
      .map((arch) => ({
        hosts: hostsOf(arch),
        detail: `the bundle has nothing for ${arch}, which \`uname -m\` calls ${machineNames[arch]}`,
        next:
          cluster.artifacts.fetch === 'hosts'
            ? `what hosts download was published for ${bundle.join(' and ')} alone when kbs asked: write artifacts: { fetch: operator }, and kbs bundle create --arch ${needed.join(',')} says what is missing`
            : `make one for all hosts: kbs bundle create --arch ${needed.join(',')}, or kbs bundle build with the same`,
      }));
  },
} satisfies ClusterCheck;
