import { Failure } from '../failure.js';

/** Go's, OCI's and Debian's name of a processor architecture. */
export type Arch = (typeof architectures)[number];

/** Those that kbs builds for, in the order in which a bundle lists them. */
export const architectures = ['amd64', 'arm64'] as const;

/** The kernel's name of each, as `uname -m` prints it. */
export const machineNames: Readonly<Record<Arch, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** The architecture by the kernel's name of it; undefined for one that kbs does not build for. */
export const archOfMachine = (machine: string): Arch | undefined =>
  architectures.find((arch) => machineNames[arch] === machine);

/** The architecture of this machine; a Failure where kbs cannot build for it. */
export const archOfThisMachine = (arch: string = process.arch): Arch => {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new Failure('preflight', `artifacts are built on amd64 and arm64, and this machine is ${arch}`, {
    next: 'build the bundle on a machine of one of these architectures and copy it here.',
  });
};
