import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { repositoryOf } from '../../src/artifacts/packages/repository.js';
import { tarOf } from '../../src/artifacts/tar.js';
import type { PackageRepository } from '../../src/resources/resource.js';

const run = promisify(execFile);

/** A small Debian package: fields of its control file, files of its control archive, and files that it installs. */
export interface Deb {
  readonly name: string;
  readonly version?: string;
  readonly depends?: string;
  readonly priority?: 'required' | 'optional';
  /** Debian's name of it; `all` when absent. */
  readonly architecture?: string;
  readonly control?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A daemon that is started on installation as Debian's are, and a library that it needs. Its settings are a conffile,
 * and a word in /run/hurt makes its installation fail, or kill all that runs there.
 */
export const daemon = (version: string): readonly Deb[] => [
  {
    name: 'kbs-one',
    version,
    depends: 'kbs-two',
    control: {
      conffiles: '/etc/kbs-one/one.conf\n',
      postinst: `#!/bin/sh
set -e
case "$(cat /run/hurt 2>/dev/null)" in
  fail) echo 'it hurts' >&2; exit 1 ;;
  die) rm /run/hurt; kill -9 -1 ;;
esac
update-rc.d kbs-one defaults
invoke-rc.d kbs-one start
`,
      postrm: '#!/bin/sh\nset -e\nif [ "$1" = purge ]; then update-rc.d kbs-one remove; fi\n',
      prerm: '#!/bin/sh\nset -e\ninvoke-rc.d kbs-one stop\n',
    },
    files: {
      'etc/kbs-one/one.conf': 'as it came\n',
      'etc/init.d/kbs-one': initScript,
      'usr/bin/kbs-one': `#!/bin/sh\necho ${version}\n`,
    },
  },
  { name: 'kbs-two', version, files: { 'usr/share/kbs-two/data': version } },
];

/** What update-rc.d asks for, and one line for whatever it is told to do. */
const initScript = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          kbs-one
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: a daemon of the tests
### END INIT INFO
echo "$1" >> /run/kbs-one
`;

/** Builds packages into a folder, and gives a tar of a repository of them for Debian 12 that lies there. */
export const repository = async (folder: string, debs: readonly Deb[]): Promise<PackageRepository> => {
  await mkdir(folder, { recursive: true });
  const files = await build(folder, debs);
  const file = join(folder, 'repository.tar');
  await pipeline(tarOf(await repositoryOf(files)), createWriteStream(file));
  const { size } = await stat(file);
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { name: 'repository', sha256, size, file, packedSize: size, packing: 'none', distribution: 'debian-12' };
};

/** Builds packages into a folder, and gives their paths. */
export const build = async (folder: string, debs: readonly Deb[]): Promise<readonly string[]> => {
  const files: string[] = [];
  for (const deb of debs) files.push(await pack(folder, deb));
  return files;
};

const pack = async (folder: string, deb: Deb): Promise<string> => {
  const tree = join(folder, deb.name);
  const fields = {
    Package: deb.name,
    Version: deb.version ?? '1.0',
    Architecture: deb.architecture ?? 'all',
    Priority: deb.priority ?? 'optional',
    Maintainer: 'kbs <kbs@example.org>',
    Description: `a package of the tests\n With a longer word about ${deb.name}.`,
    ...(deb.depends === undefined ? {} : { Depends: deb.depends }),
  };
  const control = Object.entries(fields).map((field) => field.join(': '));
  const write = async (path: string, text: string, mode: number) => {
    await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), text);
    await chmod(join(tree, path), mode);
  };
  await write('DEBIAN/control', `${control.join('\n')}\n`, 0o644);
  for (const [name, text] of Object.entries(deb.control ?? {})) {
    await write(`DEBIAN/${name}`, text, name === 'conffiles' ? 0o644 : 0o755);
  }
  for (const [path, text] of Object.entries(deb.files ?? {})) {
    await write(path, text, /bin\/|init\.d/.test(path) ? 0o755 : 0o644);
  }
  const file = join(folder, `${deb.name}.deb`);
  await run('dpkg-deb', ['--build', '--root-owner-group', tree, file]);
  return file;
};
