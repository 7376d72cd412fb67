/** What a guest's programs are for, in Debian's words. */
export type Arch = 'amd64' | 'arm64';

/** How QEMU plays a machine of an architecture, and how programs for it run elsewhere. */
interface Processor {
  /** QEMU for a whole machine, and the Debian package that brings it. */
  readonly system: string;
  readonly systemPackage: string;
  readonly machine: string;
  /** The processor where it is emulated: the newest one would cost an emulator much for nothing. */
  readonly emulated: string;
  /** The serial console, as its kernel calls it. */
  readonly console: string;
  /** QEMU for single programs, by the name under which Debian registers it with a kernel; the program ends in `-static`. */
  readonly user: string;
  /** By which a kernel knows such programs: what they begin with, and which bits of it count (elf(5), e_machine). */
  readonly magic: string;
}

const elf = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00';
const mask = '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';

export const processors: Readonly<Record<Arch, Processor>> = {
  amd64: {
    system: 'qemu-system-x86_64',
    systemPackage: 'qemu-system-x86',
    machine: 'q35',
    emulated: 'max',
    console: 'ttyS0',
    user: 'qemu-x86_64',
    magic: `${elf}\\x3e\\x00:${mask}`,
  },
  arm64: {
    system: 'qemu-system-aarch64',
    systemPackage: 'qemu-system-arm',
    machine: 'virt',
    emulated: 'cortex-a72',
    console: 'ttyAMA0',
    user: 'qemu-aarch64',
    magic: `${elf}\\xb7\\x00:${mask}`,
  },
};

/** Whether this machine's own processor is of another architecture. */
export const isForeign = (arch: Arch): boolean => process.arch !== { amd64: 'x64', arm64: 'arm64' }[arch];
