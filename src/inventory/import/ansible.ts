import { Failure } from '../../failure.js';

/** What an Ansible inventory says, whichever form it has. Names are as written, in the order of the file. */
export interface AnsibleInventory {
  readonly groups: ReadonlyMap<string, AnsibleGroup>;
  /** Every host, with the variables that the inventory gives it directly. */
  readonly hosts: ReadonlyMap<string, Vars>;
}

export interface AnsibleGroup {
  readonly hosts: readonly string[];
  readonly children: readonly string[];
  readonly vars: Vars;
}

export type Vars = Readonly<Record<string, Var>>;

/** A variable's value, and the `file:line` or `file:line:column` where it stands. */
export interface Var {
  readonly value: unknown;
  readonly at: string;
}

/** Variables in files beside an inventory: `group_vars` and `host_vars`. */
export interface VarFile {
  readonly of: 'group' | 'host';
  /** The group or host. */
  readonly name: string;
  readonly vars: Vars;
}

/** The hosts of a group and of the groups below it, in the order of the file. A group that is not there has none. */
export const hostsIn = ({ groups }: AnsibleInventory, ...names: readonly string[]): readonly string[] => {
  const seen = new Set<string>();
  const below = (name: string): readonly string[] => {
    if (seen.has(name)) return [];
    seen.add(name);
    const group = groups.get(name);
    return [...(group?.hosts ?? []), ...(group?.children ?? []).flatMap(below)];
  };
  return [...new Set(names.flatMap(below))];
};

/**
 * The variables of a host, by Ansible's precedence: those of groups in the inventory, group_vars/all, other group_vars,
 * those of the host in the inventory, host_vars. A group that is further from `all` wins, then the later name.
 * https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#variable-precedence-where-should-i-put-a-variable
 */
export const varsOf = (inventory: AnsibleInventory, files: readonly VarFile[], host: string): Vars => {
  const groups = groupsOf(inventory, host);
  const inFiles = (of: VarFile['of'], name: string): readonly Vars[] =>
    files.filter((file) => file.of === of && file.name === name).map(({ vars }) => vars);
  const all: readonly Vars[] = [
    ...groups.map((name) => inventory.groups.get(name)?.vars ?? {}),
    ...inFiles('group', 'all'),
    ...groups.filter((name) => name !== 'all').flatMap((name) => inFiles('group', name)),
    inventory.hosts.get(host) ?? {},
    ...inFiles('host', host),
  ];
  return Object.assign({}, ...all);
};

const groupsOf = (inventory: AnsibleInventory, host: string): readonly string[] => {
  const holding = [...inventory.groups.keys()].filter(
    (name) => name === 'all' || hostsIn(inventory, name).includes(host),
  );
  const names = holding.includes('all') ? holding : ['all', ...holding];
  const depth = new Map(names.map((name) => [name, depthOf(inventory, name)]));
  return names.toSorted((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0) || (a < b ? -1 : 1));
};

/** The longest way from `all`, which every group without a parent is a child of. */
const depthOf = ({ groups }: AnsibleInventory, name: string): number => {
  const depth = (each: string, above: readonly string[]): number => {
    if (each === 'all') return 0;
    if (above.includes(each)) throw new Failure('inventory', `the group ${each} is a child of itself`);
    const parents = [...groups].filter(([, { children }]) => children.includes(each)).map(([parent]) => parent);
    return 1 + Math.max(0, ...parents.map((parent) => depth(parent, [...above, each])));
  };
  return depth(name, []);
};

/**
 * The names that a host pattern stands for: `node[1:3]`, `node[01:10:2].lan`, `rack-[a:c]`, and a port after them.
 * Undefined where its range cannot be read.
 */
export const expandPattern = (
  pattern: string,
): { readonly names: readonly string[]; readonly port?: string } | undefined => {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/s.exec(pattern) ?? [];
  const isAddress6 = host.includes(':') && !host.includes('[');
  const names = isAddress6 ? [pattern] : expandRanges(host);
  if (names === undefined) return undefined;
  return { names, ...(port === undefined || isAddress6 ? {} : { port }) };
};

const expandRanges = (text: string): readonly string[] | undefined => {
  const [, before = '', inner, after = ''] = /^([^[\]]*)\[([^[\]]*)\](.*)$/s.exec(text) ?? [];
  if (inner === undefined) return /[[\]]/.test(text) ? undefined : [text];
  const middle = rangeOf(inner);
  const rest = expandRanges(after);
  if (middle === undefined || rest === undefined || middle.length * rest.length > most) return undefined;
  return middle.flatMap((part) => rest.map((end) => `${before}${part}${end}`));
};

/** More names than any inventory has. */
const most = 10_000;

const rangeOf = (inner: string): readonly string[] | undefined => {
  const [, first = '', last = '', step = '1'] = /^(\d*|[A-Za-z]):(\d+|[A-Za-z])(?::(\d+))?$/.exec(inner) ?? [];
  const isLetters = /[A-Za-z]/.test(first + last);
  if (last === '' || Number(step) < 1 || (isLetters && !/^[A-Za-z]{2}$/.test(first + last))) return undefined;
  const code = (text: string): number => (isLetters ? text.charCodeAt(0) : Number(text));
  // As in Ansible: leading zeros count, and both ends then have the same length.
  const width = first.startsWith('0') && first.length > 1 ? first.length : 0;
  const count = Math.floor((code(last) - code(first || '0')) / Number(step)) + 1;
  if (count < 1 || count > most || (width > 0 && last.length !== width)) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const value = code(first || '0') + index * Number(step);
    return isLetters ? String.fromCharCode(value) : String(value).padStart(width, '0');
  });
};
