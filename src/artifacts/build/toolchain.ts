import { type Arch, archOfThisMachine } from '../arch.js';

/** What compiles C for an architecture on this machine: Debian's own compiler, or its cross compiler. */
export interface Toolchain {
  readonly gcc: string;
  /** The Debian packages of the compiler and of the static C library. */
  readonly packages: { readonly gcc: string; readonly libc: string };
  /** Whether the architecture is another one than that of this machine. */
  readonly cross: boolean;
}

export const toolchainFor = (arch: Arch, here: Arch = archOfThisMachine()): Toolchain => {
  if (arch === here) return { gcc: 'gcc', packages: { gcc: 'gcc', libc: 'libc6-dev' }, cross: false };
  const gcc = `${triplets[arch]}-gcc`;
  const packages = { gcc: `gcc-${triplets[arch].replace('_', '-')}`, libc: `libc6-dev-${arch}-cross` };
  return { gcc, packages, cross: true };
};

/** GNU's name of each architecture: of Debian's tools and of its folders of libraries. */
export const triplets: Readonly<Record<Arch, string>> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
