import { Failure, Failures } from '../../failure.js';
import type { Path } from '../inventory-error.js';
import { type AnsibleInventory, expandPattern, type Var, type Vars } from './ansible.js';
import type { YamlInput } from './yaml-input.js';

/**
 * An inventory in Ansible's YAML form: https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html.
 * Throws Failures `inventory` with `file:line:column` for every part that Ansible would refuse.
 */
export const readAnsibleYaml = (input: YamlInput): AnsibleInventory => {
  const reading: Reading = { input, groups: new Map(), hosts: new Map(), failures: [] };
  for (const [name, group] of entriesAt(reading, [], input.value)) readGroup(reading, [name], name, group);
  if (reading.failures.length > 0) throw new Failures(reading.failures);
  return reading;
};

/** Whether a document is an inventory: groups that hold hosts or groups. */
export const isAnsibleYaml = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).some(
    (group: unknown) => typeof group === 'object' && group !== null && ('hosts' in group || 'children' in group),
  );

/** The variables of a map at a path of a document. */
export const varsAt = (input: YamlInput, path: Path, value: unknown): Vars =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}).map(
      ([name, inner]) => [name, { value: inner, at: input.at([...path, name]) }],
    ),
  );

interface Reading {
  readonly input: YamlInput;
  readonly groups: Map<string, { hosts: string[]; children: string[]; vars: Record<string, Var> }>;
  readonly hosts: Map<string, Vars>;
  readonly failures: Failure[];
}

const readGroup = (reading: Reading, path: Path, name: string, value: unknown): void => {
  const { input, groups, hosts } = reading;
  const group = groups.get(name) ?? { hosts: [], children: [], vars: {} };
  groups.set(name, group);
  for (const [key, inner] of entriesAt(reading, path, value)) {
    const at: Path = [...path, key];
    if (key === 'hosts') {
      for (const [pattern, vars] of entriesAt(reading, at, inner)) {
        const expanded = expandPattern(pattern);
        if (expanded === undefined) refuse(reading, [...at, pattern], `${pattern} is not a host or a range of hosts`);
        entriesAt(reading, [...at, pattern], vars);
        for (const host of expanded?.names ?? []) {
          if (!group.hosts.includes(host)) group.hosts.push(host);
          hosts.set(host, { ...hosts.get(host), ...varsAt(input, [...at, pattern], vars) });
        }
      }
    } else if (key === 'children') {
      for (const [child, below] of entriesAt(reading, at, inner)) {
        if (!group.children.includes(child)) group.children.push(child);
        readGroup(reading, [...at, child], child, below);
      }
    } else if (key === 'vars') {
      entriesAt(reading, at, inner);
      Object.assign(group.vars, varsAt(input, at, inner));
    } else {
      refuse(reading, at, `${path.join('.')} has ${key}; a group has hosts, children and vars`);
    }
  }
};

/** The entries of a map; an empty value has none. */
const entriesAt = (reading: Reading, path: Path, value: unknown): readonly (readonly [string, unknown])[] => {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value);
  refuse(reading, path, `${path.length === 0 ? 'the file' : path.join('.')} is not a map`);
  return [];
};

const refuse = ({ input, failures }: Reading, path: Path, what: string): void => {
  failures.push(new Failure('inventory', what, { where: { position: input.at(path) } }));
};
