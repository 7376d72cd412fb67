import { readFile } from 'node:fs/promises';
import { quote } from '../hosts/shell.js';
import { shell } from './shell.js';

/** Unmounts all that is mounted at or below a folder, the last first. */
export const unmountBelow = async (folder: string): Promise<void> => {
  const targets = await mountsBelow(folder);
  if (targets.length === 0) return;
  await shell(
    `unmounting ${folder}`,
    targets.map((target) => `umount ${quote(target)} || umount -l ${quote(target)}`).join('\n'),
  );
};

/** Mount points at or below a folder, the last mounted first. */
export const mountsBelow = async (folder: string): Promise<readonly string[]> => {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((target) => target === folder || target.startsWith(`${folder}/`))
    .toReversed();
};

/** proc(5): blanks, tabs, newlines and backslashes come as three octal digits. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
