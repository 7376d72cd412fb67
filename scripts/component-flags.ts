import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../src/artifacts/cache.js';
import { knownVersions, releaseOf } from '../src/artifacts/catalogue.js';

/**
 * Writes src/inventory/components/flags.json: the flags of each component with the sort of value that each takes, and
 * the feature gates that all of Kubernetes' components know, as `--help` of the programs that `kbs bundle build` has
 * made for this machine prints them. To be run once the catalogue has another version; its output is committed.
 * Usage: tsx scripts/component-flags.ts
 */
const output = 'src/inventory/components/flags.json';

/** Component → the program that it is; one program acts by the name that it is started with. */
const programs = {
  etcd: 'etcd',
  'kube-apiserver': 'control-plane',
  'kube-controller-manager': 'control-plane',
  'kube-scheduler': 'control-plane',
  'kube-proxy': 'kube-proxy',
  kubelet: 'kubelet',
} as const;

/** Those of which an inventory sets flags; the others have a file. */
const withFlags = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

type Component = keyof typeof programs;

/** `  -v, --v Level      number for the log level verbosity`; what takes no value but true or false names no type. */
const flag = /^ +(?:-\w, )?--([a-z0-9-]+)(?: (\S+))?(?: {2,}.*)?$/;

/** `  --pre-vote 'true'`: etcd prints the default in place of a type, and what it means in the next line. */
const etcdFlag = /^ {2}--([a-z0-9-]+)(?: (.+))?$/;

const [kubernetes = ''] = knownVersions();
const components = Object.keys(programs) as readonly Component[];
const help = new Map(await Promise.all(components.map(async (each) => [each, await helpOf(each)] as const)));
const flags = Object.fromEntries(withFlags.map((each) => [each, flagsIn(each, help.get(each) ?? '')]));
const gates = components.filter((each) => each !== 'etcd').map((each) => gatesIn(help.get(each) ?? ''));
const featureGates = [...(gates[0] ?? [])].filter((gate) => gates.every((known) => known.has(gate)));
writeFileSync(output, `${JSON.stringify({ kubernetes, flags, featureGates }, undefined, 2)}\n`);
console.log(output);

/** Of the builds that lie in the cache, one for another architecture does not start. */
async function helpOf(component: Component): Promise<string> {
  const program = programs[component];
  const version = releaseOf(kubernetes)?.programs.find(({ name }) => name === program)?.version;
  const builds = join(cacheFolder(), 'build');
  const folders = (await readdir(builds)).filter((name) => name.startsWith(`${program}-${version}-`));
  for (const folder of folders) {
    const { stdout, failed } = await execa(join(builds, folder, program), ['--help'], {
      argv0: component,
      reject: false,
    });
    if (!failed) return stdout;
  }
  throw new Error(`${program} ${version} is not in ${builds}: build it with kbs bundle build`);
}

/** Flag → sort of value, in the order of their names; without those that end the program. */
function flagsIn(component: Component, text: string): Readonly<Record<string, string>> {
  const found = text.split('\n').flatMap((line) => {
    const [, name, value = ''] = (component === 'etcd' ? etcdFlag : flag).exec(line) ?? [];
    if (name === undefined || ['help', 'version', 'write-config-to'].includes(name)) return [];
    return [[name, component === 'etcd' ? sortOfDefault(value) : sortOfType(value)] as const];
  });
  return Object.fromEntries(found.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function sortOfType(type: string): string {
  if (type === '') return 'boolean';
  if (type === 'int' || type === 'int32') return 'integer';
  if (type === 'float' || type === 'float32') return 'number';
  return type === 'duration' ? type : 'text';
}

/** A default that is a number does not say whether a unit may follow it. */
function sortOfDefault(value: string): string {
  return /^'(true|false)'$/.test(value) ? 'boolean' : 'text';
}

function gatesIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^.*?\b([A-Z]\w+)=true\|false \(/gm)].map(([, name = '']) => name));
}
