import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256OfFile } from '../../src/artifacts/digest.js';
import { type Entry, tarOf } from '../../src/artifacts/tar.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kbs-tar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const long = `/deep/${'directory/'.repeat(15)}file`;

const members = async (): Promise<readonly Entry[]> => {
  const file = join(folder, 'program');
  await writeFile(file, 'x'.repeat(3_000_000));
  return [
    { type: 'directory', path: '/tmp', mode: 0o1777 },
    { type: 'text', path: '/etc/passwd', mode: 0o644, text: 'root:x:0:0\n' },
    { type: 'file', path: '/bin/one', mode: 0o755, file },
    { type: 'link', path: '/bin/other', to: '/bin/one' },
    { type: 'symlink', path: '/sbin/one', to: '../bin/one' },
    { type: 'text', path: long, mode: 0o600, text: '' },
  ];
};

const write = async (name: string): Promise<string> => {
  const path = join(folder, name);
  await pipeline(tarOf(await members()), createWriteStream(path));
  return path;
};

it('the same members give the same bytes, whenever their files were written', async () => {
  const one = await sha256OfFile(await write('one.tar'));
  await utimes(join(folder, 'program'), 1, 1);
  expect(await sha256OfFile(await write('other.tar'))).toBe(one);
});

it('tar(1) reads it: root owns all, times are 1970, types and modes are kept', async () => {
  const { stdout } = await execa('tar', ['--utc', '-tvf', await write('one.tar')]);
  const lines = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
  expect(lines).toEqual([
    'drwxrwxrwt root/root 0 1970-01-01 00:00 tmp',
    '-rw-r--r-- root/root 11 1970-01-01 00:00 etc/passwd',
    '-rwxr-xr-x root/root 3000000 1970-01-01 00:00 bin/one',
    'hrwxr-xr-x root/root 0 1970-01-01 00:00 bin/other link to bin/one',
    'lrwxrwxrwx root/root 0 1970-01-01 00:00 sbin/one -> ../bin/one',
    `-rw------- root/root 0 1970-01-01 00:00 ${long.slice(1)}`,
  ]);
});

it('a file that cannot be read fails the tar', async () => {
  const missing: Entry = { type: 'file', path: '/a', mode: 0o644, file: join(folder, 'nowhere') };
  const attempt = pipeline(tarOf([missing]), createWriteStream(join(folder, 'a.tar')));
  await expect(attempt).rejects.toThrow('ENOENT');
});
