import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parseSystem, systemScript } from '../../../src/hosts/facts/system.js';
import { lacks } from '../../support/needs.js';

const folder = new URL('recorded/os-release/', import.meta.url);

/** By the names of recorded files: the programs there, and what kbs makes of the system. */
const systems = {
  'debian-12': ['dpkg apt-get', 'debian 12', 'apt'],
  'debian-13': ['dpkg apt-get', 'debian 13', 'apt'],
  'fedora-42': ['rpm dnf', 'fedora 42', 'dnf'],
  'fedora-coreos-42': ['rpm dnf ostree', 'fedora 42', 'none'],
  'opensuse-leap-15.6': ['rpm zypper', 'opensuse-leap 15.6', 'none'],
  'raspberry-pi-os-12': ['dpkg apt-get', 'debian 12', 'apt'],
  'raspbian-12': ['dpkg apt-get', 'raspbian 12', 'apt'],
  'rocky-9': ['rpm dnf', 'rocky 9.4', 'dnf'],
  'ubuntu-22.04': ['dpkg apt-get', 'ubuntu 22.04', 'apt'],
  'ubuntu-24.04': ['dpkg apt-get', 'ubuntu 24.04', 'apt'],
} as const;

test('every recorded system is tried', () => {
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(systems));
});

/** Runs the script below another /etc/os-release, with these programs alone of those that know packages. */
const systemOf = async (release: string, has: string) => {
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], {
    input: `mount --bind ${new URL(release, folder).pathname} /etc/os-release
mount -t tmpfs none /run
for each in dpkg-query apt-get dnf rpm; do
  if [ -e /usr/bin/$each ]; then mount --bind /dev/null /usr/bin/$each; fi
done
mount -t tmpfs none /usr/local; mkdir /usr/local/bin; PATH=/usr/local/bin:/usr/bin:/bin
answers() { printf '#!/bin/sh\\nexit %s\\n' "$2" > /usr/local/bin/$1; chmod +x /usr/local/bin/$1; }
for each in ${has}; do
  case $each in
    dpkg) answers dpkg-query 0 ;;
    empty-dpkg) answers dpkg-query 1 ;;
    ostree) : > /run/ostree-booted ;;
    *) answers $each 0 ;;
  esac
done
${systemScript}`,
  });
  const system = parseSystem(stdout);
  if (!system) throw new Error('it printed nothing');
  return system;
};

describe.skipIf(lacks('root'))('the package manager', () => {
  test.each(Object.entries(systems))('of %s', async (release, [has, named, manager]) => {
    const system = await systemOf(release, has);
    expect(`${system.id} ${system.version}`).toBe(named);
    expect(system.packageManager).toBe(manager);
  });

  test.each([
    ['fedora-42', 'rpm dnf empty-dpkg apt-get', 'dnf'],
    ['debian-12', 'dpkg apt-get rpm dnf', 'apt'],
    ['debian-12', 'dpkg rpm dnf', 'none'],
    ['fedora-42', 'dnf', 'none'],
  ])('of %s with %s is %s', async (release, has, manager) => {
    expect((await systemOf(release, has)).packageManager).toBe(manager);
  });
});
