import { describe, expect, it, test } from 'vitest';
import { failuresIn } from '../../../src/failure.js';
import { expandPattern, hostsIn, type VarFile, varsOf } from '../../../src/inventory/import/ansible.js';
import { readAnsibleIni } from '../../../src/inventory/import/ansible-ini.js';
import { readAnsibleYaml } from '../../../src/inventory/import/ansible-yaml.js';
import { readYaml } from '../../../src/inventory/import/yaml-input.js';

test.each<[string, readonly string[] | undefined]>([
  ['node1', ['node1']],
  ['node[1:3]', ['node1', 'node2', 'node3']],
  ['node[08:10].lan', ['node08', 'node09', 'node10'].map((name) => `${name}.lan`)],
  ['node[1:9:4]', ['node1', 'node5', 'node9']],
  ['rack-[a:c]', ['rack-a', 'rack-b', 'rack-c']],
  ['r[1:2]n[1:2]', ['r1n1', 'r1n2', 'r2n1', 'r2n2']],
  ['fd00::1', ['fd00::1']],
  ['node[1:', undefined],
  ['node[3:1]', undefined],
  ['node[1-3]', undefined],
])('the pattern %s stands for %j', (pattern, names) => {
  expect(expandPattern(pattern)?.names).toEqual(names);
});

/** The hosts of the group g with their variables. */
const hostsOf = (text: string): object => {
  const inventory = readAnsibleIni(text, 'hosts.ini');
  return Object.fromEntries(
    hostsIn(inventory, 'g').map((host) => [
      host,
      Object.fromEntries(Object.entries(varsOf(inventory, [], host)).map(([name, { value }]) => [name, value])),
    ]),
  );
};

test.each<[string, string, object]>([
  ['words of a line', '[g]\na x=1 y=two', { a: { x: '1', y: 'two' } }],
  [
    'quotes and what is in them',
    `[g]\na x="b c" y='d # e' z='{"k": "v"}'`,
    { a: { x: 'b c', y: 'd # e', z: '{"k": "v"}' } },
  ],
  ['a literal of Python', `[g]\na x="'#1'"`, { a: { x: '#1' } }],
  ['a comment at the end', '[g] # the group\na x=1 # y=2\n; nothing', { a: { x: '1' } }],
  ['a port', '[g]\na:2222', { a: { ansible_port: '2222' } }],
  ['a host in several places', 'a x=1\n[g]\na y=2', { a: { x: '1', y: '2' } }],
  ['variables of a group', '[g]\na x=1\n[g:vars]\nx = 2\ny = b c\nz = "d" # e', { a: { x: '1', y: 'b c', z: 'd' } }],
  ['a group below', '[g:children]\nh\n[h]\na\n[g:vars]\nx=g\ny=g\n[h:vars]\nx=h', { a: { x: 'h', y: 'g' } }],
  ['all', '[all:vars]\nx=all\n[g]\na\n', { a: { x: 'all' } }],
  ['lines of Windows', '\uFEFF[g]\r\na x=1\r\n', { a: { x: '1' } }],
])('an INI inventory has %s', (_, text, hosts) => {
  expect(hostsOf(text)).toEqual(hosts);
});

/** `file:line message` of each failure. */
const said = (read: () => unknown): readonly string[] => {
  try {
    read();
    return [];
  } catch (error) {
    return failuresIn(error).map(({ where, message }) => `${where.position} ${message}`);
  }
};

test('every line of an INI inventory that Ansible would refuse is named with its number', () => {
  const text = `[g
a x=1
[h:hots]
[h]
b y
c x='1
d[3:1]
[h:vars]
novalue
[i:children]
missing
`;
  expect(said(() => readAnsibleIni(text, 'hosts.ini'))).toEqual([
    'hosts.ini:1 [g is not a section; write [group], [group:children] or [group:vars]',
    'hosts.ini:3 [h:hots] is not a section; after the colon stands children or vars',
    'hosts.ini:5 y is not a variable; write name=value',
    'hosts.ini:6 a quote is not closed on this line',
    'hosts.ini:7 d[3:1] is not a host; a range is written as node[1:3] or rack-[a:c]',
    'hosts.ini:9 novalue is not a variable; write name=value',
    'hosts.ini:11 there is no group missing',
  ]);
});

const yaml = (text: string) => {
  const [input] = readYaml(text, 'hosts.yaml');
  if (input === undefined) throw new Error('no document');
  return readAnsibleYaml(input);
};

test('a YAML inventory has groups below groups, ranges, and variables at three places', () => {
  const inventory = yaml(`all:
  vars: { x: all }
  children:
    g:
      hosts:
        n[1:2]: { y: 1 }
      vars: { x: g }
    h: { children: { g: } }
`);
  expect(hostsIn(inventory, 'h')).toEqual(['n1', 'n2']);
  const { x, y } = varsOf(inventory, [], 'n2');
  expect([x?.value, y?.value, y?.at]).toEqual(['g', 1, 'hosts.yaml:6:22']);
});

test('every part of a YAML inventory that Ansible would refuse is named with its place', () => {
  const text = `all:
  host: { a: }
  hosts: [b]
  children:
    g:
      hosts: { "n[2:1]": }
      vars: text
`;
  expect(said(() => yaml(text))).toEqual([
    'hosts.yaml:2:9 all has host; a group has hosts, children and vars',
    'hosts.yaml:3:10 all.hosts is not a map',
    'hosts.yaml:6:16 n[2:1] is not a host or a range of hosts',
    'hosts.yaml:7:13 all.children.g.vars is not a map',
  ]);
});

describe('variables', () => {
  const inventory = readAnsibleIni('[all:vars]\nx=1\n[g]\na x=5\n[g:vars]\nx=2\n', 'hosts.ini');
  const file = (of: VarFile['of'], name: string, value: string): VarFile => ({
    of,
    name,
    vars: { x: { value, at: `${name}.yml:1:1` } },
  });

  test.each<[readonly VarFile[], string]>([
    [[], '5'],
    [[file('group', 'g', '4'), file('group', 'all', '3')], '5'],
    [[file('host', 'a', '6')], '6'],
  ])('of %j the last one wins', (files, value) => {
    expect(varsOf(inventory, files, 'a').x?.value).toBe(value);
  });

  it('of group_vars come after those of groups in the inventory', () => {
    const bare = readAnsibleIni('[g]\na\n[g:vars]\nx=2\n', 'hosts.ini');
    expect(varsOf(bare, [file('group', 'all', '3')], 'a').x?.value).toBe('3');
    expect(varsOf(bare, [file('group', 'g', '4'), file('group', 'all', '3')], 'a').x?.value).toBe('4');
  });
});

test('a group that is a child of itself is refused', () => {
  const inventory = readAnsibleIni('[g:children]\nh\n[h:children]\ng\n[h]\na\n', 'hosts.ini');
  expect(said(() => varsOf(inventory, [], 'a'))).toEqual([
    expect.stringMatching(/^undefined the group [gh] is a child of itself$/),
  ]);
});
