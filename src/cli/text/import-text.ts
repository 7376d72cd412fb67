import type { Import } from '../../workflows/import-inventory.js';
import { counted, some } from './format.js';
import { oneLine } from './printable.js';

/** What an import took, left out and leaves to decide. `file` is where the inventory is; undefined where it is on stdout. */
export function importText({ tool, hosts, taken, remarks, mistakes }: Import, file: string | undefined): string {
  const of = (kind: 'left' | 'decide'): readonly string[] => grouped(remarks.filter((remark) => remark.kind === kind));
  return [
    `${tool}: ${counted(hosts.controlPlanes, 'control plane')}, ${counted(hosts.workers, 'worker')}, ${counted(hosts.all, 'host')} in all`,
    `taken: ${oneLine(taken.join(', '))}`,
    ...section('left out', of('left')),
    ...section('to decide', of('decide')),
    ...section(
      'not valid yet',
      mistakes.map(({ message }) => oneLine(message)),
    ),
    ...(mistakes.length === 0 ? ['the inventory is valid'] : []),
    ...(file === undefined ? [] : [`check it with: kbs inventory validate -i ${file}`]),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

/** A line for each sentence, with the hosts that it is about. */
const grouped = (remarks: Import['remarks']): readonly string[] => {
  const hosts = new Map<string, readonly string[]>();
  for (const { path, text } of remarks) {
    const host = path[0] === 'hosts' && path[1] !== undefined ? [String(path[1])] : [];
    hosts.set(text, [...(hosts.get(text) ?? []), ...host]);
  }
  return [...hosts].map(([text, names]) => oneLine(names.length === 0 ? text : `${some(names)}: ${text}`));
};
