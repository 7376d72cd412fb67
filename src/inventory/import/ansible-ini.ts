import { Failure, Failures } from '../../failure.js';
import { type AnsibleInventory, expandPattern, type Var, type Vars } from './ansible.js';

/**
 * An inventory in Ansible's INI form: https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_inventory.html.
 * Throws Failures `inventory` with `file:line` for every line that Ansible would refuse.
 */
export const readAnsibleIni = (text: string, file: string): AnsibleInventory => {
  const groups = new Map<string, Group>();
  const hosts = new Map<string, Record<string, Var>>();
  const failures: Failure[] = [];
  const wantedChildren: { readonly name: string; readonly at: string }[] = [];
  const groupNamed = (name: string): Group => {
    const group = groups.get(name) ?? { hosts: [], children: [], vars: {} };
    groups.set(name, group);
    return group;
  };
  let section: Section | undefined = { name: 'ungrouped', holds: 'hosts' };
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    const at = `${file}:${index + 1}`;
    const refuse = (what: string): void => {
      failures.push(new Failure('inventory', what, { where: { position: at } }));
    };
    if (line === '' || /^[#;]/.test(line)) continue;
    if (line.startsWith('[')) {
      const header = sectionOf(line);
      section = typeof header === 'string' ? undefined : header;
      if (typeof header === 'string') refuse(header);
      else groupNamed(header.name);
      continue;
    }
    // What follows a header that cannot be read.
    if (section === undefined) continue;
    const group = groupNamed(section.name);
    if (section.holds === 'children') {
      const [name = ''] = line.split(/\s*#/);
      group.children.push(name);
      wantedChildren.push({ name, at });
    } else if (section.holds === 'vars') {
      const [, key, value = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined) refuse(`${line} is not a variable; write name=value`);
      else group.vars[key] = { value: variable(value), at };
    } else {
      const entry = hostLine(line, at);
      if (typeof entry === 'string') refuse(entry);
      else {
        for (const name of entry.names) {
          if (!group.hosts.includes(name)) group.hosts.push(name);
          hosts.set(name, { ...hosts.get(name), ...entry.vars });
        }
      }
    }
  }
  for (const { name, at } of wantedChildren) {
    if (groups.has(name)) continue;
    failures.push(new Failure('inventory', `there is no group ${name}`, { where: { position: at } }));
  }
  if (failures.length > 0) throw new Failures(failures);
  return { groups, hosts };
};

interface Group {
  readonly hosts: string[];
  readonly children: string[];
  readonly vars: Record<string, Var>;
}

interface Section {
  readonly name: string;
  readonly holds: 'hosts' | 'children' | 'vars';
}

/** A section, or what is wrong with its header. */
const sectionOf = (line: string): Section | string => {
  const [, name, holds = 'hosts'] = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?$/.exec(line) ?? [];
  if (name === undefined) return `${line} is not a section; write [group], [group:children] or [group:vars]`;
  if (holds !== 'hosts' && holds !== 'children' && holds !== 'vars') {
    return `[${name}:${holds}] is not a section; after the colon stands children or vars`;
  }
  return { name, holds };
};

/** The hosts of a line with their variables, or what is wrong with it. */
const hostLine = (line: string, at: string): { readonly names: readonly string[]; readonly vars: Vars } | string => {
  const words = wordsOf(line);
  if (words === undefined) return 'a quote is not closed on this line';
  const [pattern = '', ...pairs] = words;
  const expanded = expandPattern(pattern);
  if (expanded === undefined) return `${pattern} is not a host; a range is written as node[1:3] or rack-[a:c]`;
  const wrong = pairs.find((pair) => !/^[^=]+=/.test(pair));
  if (wrong !== undefined) return `${wrong} is not a variable; write name=value`;
  const vars = pairs.map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), { value: literal(pair.slice(equals + 1)), at }] as const;
  });
  const port = expanded.port === undefined ? {} : { ansible_port: { value: expanded.port, at } };
  return { names: expanded.names, vars: { ...port, ...Object.fromEntries(vars) } };
};

/** The words of a line as a shell splits them, up to a comment; undefined where a quote is not closed. */
const wordsOf = (line: string): readonly string[] | undefined => {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && /["\\]/.test(line.charAt(index + 1)))
        word += line.charAt(++index);
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '#') {
      break;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = `${word ?? ''}${character === '\\' ? line.charAt(++index) : character}`;
    }
  }
  if (quote !== '') return undefined;
  return word === undefined ? words : [...words, word];
};

/** A value without the quotes of a Python literal. */
const literal = (text: string): string => /^"([^"]*)"$|^'([^']*)'$/.exec(text)?.slice(1).find(isText) ?? text;

/** The same where a comment may follow: after a literal it does, while it belongs to a text without quotes. */
const variable = (text: string): string =>
  literal(/^("[^"]*"|'[^']*'|[\d.]+|True|False|None)\s*#/.exec(text)?.[1] ?? text);

const isText = (part: string | undefined): part is string => part !== undefined;
