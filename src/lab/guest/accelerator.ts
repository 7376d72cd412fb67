import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sh } from '../../hosts/shell.js';
import { enter } from '../cgroups.js';
import { exists, makeFile, readIfThere } from '../files.js';
import type { Progress } from '../lab.js';
import { labGroup } from '../paths.js';
import type { LabAt } from '../platform.js';
import { shell } from '../shell.js';
import { type Arch, isForeign, processors } from './processor.js';

/**
 * Writes how guests of an image are to be run to its file `accelerator`: QEMU's arguments on the first line, the boot of
 * this machine that it was found out in on the second. /dev/kvm counts only where the image's kernel runs with it: there
 * are machines that have it and where a guest hangs after its firmware.
 */
export const probeAccelerator = async (lab: LabAt, image: string, arch: Arch, say: Progress): Promise<void> => {
  const file = join(image, 'accelerator');
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  if ((await readIfThere(file))?.split('\n')[1] === boot) return;
  const serves = !isForeign(arch) && (await exists('/dev/kvm')) && (await kvmServes(lab, image, arch));
  if (!serves) say(`no guest of ${arch} runs with /dev/kvm here: they are emulated, about ten times slower`);
  await makeFile(file, `${serves ? '-accel kvm ' : ''}-accel tcg,thread=multi\n${boot}\n`);
};

/** Without a disk the kernel panics, which ends QEMU, in a second or two. */
const kvmServes = async (lab: LabAt, image: string, arch: Arch): Promise<boolean> => {
  const answer = await shell(
    'trying /dev/kvm',
    enter(lab.tree, `${labGroup(lab.name)}/up`) +
      sh`cd ${image}
if timeout --kill-after=1 15 ${processors[arch].system} -nodefaults -no-user-config -display none -monitor none -machine ${processors[arch].machine} \\
  -accel kvm -cpu max -m 256 -kernel vmlinuz -append panic=-1 -no-reboot >&2; then echo yes; fi`,
  );
  return answer.trim() === 'yes';
};
