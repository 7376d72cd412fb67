import { open } from 'node:fs/promises';
import { lacks } from './needs.js';

/**
 * QEMU's emulator of an arm64 processor, which runs programs for arm64 here. It is named in each command, for a machine
 * may have no binfmt_misc that would find it.
 */
export const emulator = 'qemu-aarch64-static';

/** For `skipIf`: whether this machine lacks what builds and runs programs for arm64. */
export const lacksArm64 = (): boolean =>
  lacks('go', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross', 'pkg-config', 'qemu-user-static');

/** Which processor a program is for: the field e_machine of elf(5). */
export const machineOf = async (program: string): Promise<number> => {
  const file = await open(program);
  try {
    return (await file.read(Buffer.alloc(2), 0, 2, 18)).buffer.readUInt16LE();
  } finally {
    await file.close();
  }
};

/** EM_AARCH64. */
export const aarch64 = 183;
