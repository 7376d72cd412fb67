import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small RPM package, which runs `script` once it is installed. */
export interface Rpm {
  readonly name: string;
  readonly version?: string;
  readonly requires?: string;
  readonly provides?: string;
  readonly script?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** The one of `files` that is a setting, in a folder of its own. */
  readonly setting?: string;
}

/** Builds packages and the metadata of a repository of them (createrepo_c(8)) in a folder. */
export const rpmRepository = async (folder: string, rpms: readonly Rpm[]): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const rpm of rpms) await build(folder, rpm);
  await run('createrepo_c', ['--quiet', folder]);
};

const build = async (folder: string, rpm: Rpm): Promise<void> => {
  const spec = join(folder, `${rpm.name}.spec`);
  await writeFile(spec, specOf(rpm));
  const macros = ['_topdir %/build', '_rpmdir %', '_build_id_links none'].flatMap((macro) => [
    '--define',
    macro.replace('%', folder),
  ]);
  await run('rpmbuild', ['-bb', '--quiet', ...macros, spec]);
};

const specOf = ({
  name,
  version = '1.0',
  requires,
  provides,
  script,
  files = {},
  setting,
}: Rpm): string => `Name: ${name}
Version: ${version}
Release: 1
Summary: a package of the tests
License: none
BuildArch: noarch
${requires === undefined ? '' : `Requires: ${requires}`}
${provides === undefined ? '' : `Provides: ${provides}`}
%description
A package of the tests.
%install
${Object.entries(files)
  .map(([path, text]) => `install -D -m 0755 /dev/stdin %{buildroot}${path} <<'END'\n${text}\nEND`)
  .join('\n')}
%files
${Object.keys(files)
  .map((path) => (path === setting ? `%dir ${dirname(path)}\n%config(noreplace) ${path}` : path))
  .join('\n')}
${script === undefined ? '' : `%post\n${script}`}
`;
