import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { asDnsLabel, hostNames } from '../../../src/inventory/import/host-names.js';
import { segmentsOf } from '../../../src/inventory/import/segments.js';
import { leftOut } from '../../../src/inventory/import/tool-cluster.js';
import { writeDraft } from '../../../src/inventory/import/write.js';
import { readYaml } from '../../../src/inventory/import/yaml-input.js';

test.each<[readonly (string | undefined)[], readonly string[]]>([
  [
    ['node-1', 'Node_2'],
    ['node-1', 'node-2'],
  ],
  [
    ['a.example.com', 'b.example.com'],
    ['a', 'b'],
  ],
  [
    ['a.x.com', 'a.y.com'],
    ['a-x-com', 'a-y-com'],
  ],
  [
    ['10.0.0.1', undefined, undefined],
    ['10-0-0-1', 'worker-00', 'worker-01'],
  ],
  [
    ['worker-00', undefined],
    ['worker-00', 'worker-01'],
  ],
  [
    ['same', 'SAME'],
    ['same', 'same-00'],
  ],
])('hosts called %j have the names %j', (written, names) => {
  expect(hostNames(written.map((name) => ({ written: name, role: 'worker' })))).toEqual(names);
});

test.each([
  ['My Cluster!', 'my-cluster'],
  ['prod.example', 'prod-example'],
  ['-', ''],
  ['x'.repeat(80), 'x'.repeat(63)],
])('%j as a DNS label is %j', (text, label) => {
  expect(asDnsLabel(text)).toBe(label);
});

test.each<[readonly string[], readonly string[], readonly string[]]>([
  [['10.0.0.1', '10.0.0.9'], [], ['lan 10.0.0.0/24']],
  [['10.0.0.1', '10.0.1.1'], [], ['lan-10-0-0-0 10.0.0.0/24', 'lan-10-0-1-0 10.0.1.0/24']],
  [['10.0.0.1', '10.0.1.1'], ['10.0.0.0/23'], ['lan 10.0.0.0/23']],
  [[], [], []],
])('the segments of %j with %j are %j', (addresses, given, segments) => {
  expect(segmentsOf(addresses, given).map(({ name, cidr }) => `${name} ${cidr}`)).toEqual(segments);
});

describe('a draft as a text', () => {
  const inventory = { apiVersion: 'kbs/v1', cluster: 'c', hosts: { a: { address: '10.0.0.1', roles: ['worker'] } } };

  it('has comments at what they are about, and at the end of the map where it is missing', () => {
    const remarks = [
      leftOut(['hosts', 'a', 'address'], 'about the address'),
      leftOut(['hosts', 'a', 'taints'], 'no taints'),
      leftOut(['addons'], 'no charts'),
      leftOut([], 'about all'),
    ];
    expect(writeDraft({ inventory, remarks }, ['head'])).toBe(`# head
# about all

apiVersion: kbs/v1
cluster: c
# addons: no charts

hosts:
  a:
    # about the address
    address: 10.0.0.1
    roles: [worker]
    # no taints
`);
  });

  it('holds the same values, whatever a comment or a value says', () => {
    const odd = { ...inventory, hosts: { a: { ssh: { key: '/keys [ x ]/id # y' }, labels: { a: 'b\nc' } } } };
    const remarks = [leftOut(['hosts', 'a'], 'two\nlines: [ x ]\u2028three'), leftOut(['hosts'], 'x\r\ny: z')];
    expect(parse(writeDraft({ inventory: odd, remarks }, []))).toEqual(odd);
  });
});

test('YAML of other tools has merge keys, yes for true, and numbers that stay as they are written', () => {
  const [input] = readYaml('a: &a { x: yes }\nb: { <<: *a, v: 1.30, m: 0644, n: 7, s: !vault "3031" }\n', 'f.yaml');
  expect(input?.value).toMatchObject({ b: { x: true, v: '1.30', m: '0644', n: 7 } });
  expect([input?.at(['b', 'v']), input?.at(['b', 'none']), input?.at(['c'])]).toEqual([
    'f.yaml:2:17',
    'f.yaml:2:4',
    'f.yaml:1:1',
  ]);
});
