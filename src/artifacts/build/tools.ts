import { access } from 'node:fs/promises';
import { Failure } from '../../failure.js';
import type { Arch } from '../arch.js';
import { run } from '../command.js';
import { toolchainFor } from './toolchain.js';

/**
 * Makes sure that this machine has everything that a build for these architectures runs; one Failure names all that is
 * missing. With `install`, Debian packages are installed first; Go comes from its own site, for Debian's is too old.
 */
export const provideTools = async (
  architectures: readonly Arch[],
  { install }: { readonly install: boolean },
): Promise<void> => {
  const missing = await findMissing([...tools, ...architectures.flatMap(compilers)]);
  const packages = missing.flatMap((tool) => tool.packages);
  if (missing.length > 0 && install) {
    await run('refresh the package lists', 'apt-get', ['update', '-q']);
    if (packages.length > 0) await installPackages(packages);
    return provideTools(architectures, { install: false });
  }
  if (missing.length > 0) throw lack(missing);
};

const installPackages = (packages: readonly string[]): Promise<string> =>
  run('install what a build needs', 'apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  });

interface Tool {
  readonly name: string;
  readonly needs: string;
  readonly packages: readonly string[];
  present(): Promise<boolean>;
}

const tools: readonly Tool[] = [
  { name: 'go', needs: 'Go 1.26 or newer (https://go.dev/dl)', packages: [], present: () => newEnough() },
  {
    name: 'pkg-config',
    needs: 'pkg-config, by which runc finds the seccomp library',
    packages: ['pkg-config'],
    present: () => answers('pkg-config', '--version'),
  },
  {
    name: 'apt-get',
    needs: 'apt-get: the tools in kube-proxy’s image are Debian’s',
    packages: [],
    present: () => answers('apt-get', '--version'),
  },
  {
    name: 'package lists',
    needs: 'the package lists of apt-get (`apt-get update`)',
    packages: [],
    present: () => answers('apt-cache', 'show', 'nftables'),
  },
  { name: 'dpkg-deb', needs: 'dpkg-deb', packages: ['dpkg'], present: () => answers('dpkg-deb', '--version') },
];

/** What compiles C for an architecture. The seccomp library of another one comes with the build. */
const compilers = (arch: Arch): readonly Tool[] => {
  const { gcc, packages, cross } = toolchainFor(arch);
  const seccomp: Tool = {
    name: 'libseccomp',
    needs: 'the static seccomp library, for runc',
    packages: ['libseccomp-dev'],
    present: () => hasArchive(gcc, 'libseccomp.a'),
  };
  return [
    {
      name: gcc,
      needs: `${gcc}, for runc and pause`,
      packages: [packages.gcc],
      present: () => answers(gcc, '--version'),
    },
    {
      name: cross ? `libc of ${arch}` : 'libc',
      needs: `the static C library${cross ? ` of ${arch}` : ''}`,
      packages: [packages.libc],
      present: () => hasArchive(gcc, 'libc.a'),
    },
    ...(cross ? [] : [seccomp]),
  ];
};

const findMissing = async (tools: readonly Tool[]): Promise<readonly Tool[]> => {
  const present = await Promise.all(tools.map((tool) => tool.present()));
  return tools.filter((_, index) => !present[index]);
};

const lack = (missing: readonly Tool[]): Failure => {
  const packages = missing.flatMap((tool) => tool.packages);
  const apt = packages.length > 0 ? `; packages: \`apt-get install ${packages.join(' ')}\`, or add --install` : '';
  return new Failure(
    'preflight',
    `this machine lacks ${missing.map((tool) => tool.name).join(', ')} to build a bundle`,
    {
      why: missing.map((tool) => tool.needs),
      next: `install what is missing and run the same command again${apt}`,
    },
  );
};

const answers = (tool: string, ...words: readonly string[]): Promise<boolean> =>
  run(`ask ${tool}`, tool, words).then(
    () => true,
    () => false,
  );

const newEnough = async (): Promise<boolean> => {
  const said = await run('ask Go for its version', 'go', ['env', 'GOVERSION']).catch(() => '');
  const [, major = '0', minor = '0'] = /^go(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 1 || Number(minor) >= 26;
};

/** gcc gives the path of a library that it would link, and the bare name of one that it would not find. */
const hasArchive = async (gcc: string, name: string): Promise<boolean> => {
  const path = await run('ask gcc for a library', gcc, [`-print-file-name=${name}`]).catch(() => name);
  return (
    path.includes('/') &&
    access(path)
      .then(() => true)
      .catch(() => false)
  );
};
