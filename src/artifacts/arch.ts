import { Failure } from '../failure.js';

/** Go's and OCI's name of a processor architecture. */
export type Arch = 'amd64' | 'arm64';

/** The architecture of this machine; a Failure where kbs cannot build for it. */
export const archOfThisMachine = (arch: string = process.arch): Arch => {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new Failure('preflight', `artifacts are built for amd64 and arm64, and this machine is ${arch}`, {
    next: 'build the bundle on a machine of the hosts’ architecture and copy it here.',
  });
};
