import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { tarOf } from '../../src/artifacts/tar.js';
import { failuresIn } from '../../src/failure.js';
import type { OwnAddon } from '../../src/inventory/cluster.js';
import { checkValues } from '../../src/workflows/addons/check-values.js';
import { withCharts } from '../../src/workflows/charts.js';
import { clusterOf } from '../support/cluster.js';

const schema = {
  $schema: 'https://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['hostname'],
  properties: {
    hostname: { type: 'string' },
    replicas: { type: 'integer', minimum: 1 },
    mode: { enum: ['fast', 'safe'] },
    service: {
      type: 'object',
      additionalProperties: false,
      properties: { type: { type: 'string' }, ports: { type: 'array', items: { type: 'integer' } } },
    },
    size: { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[0-9]+Gi$' }] },
    broken: { type: 'string' },
  },
};

const packed = async (...files: readonly (readonly [string, string])[]) => {
  const pieces: Uint8Array[] = [];
  const entries = files.map(([path, text]) => ({ type: 'text', path: `web/${path}`, mode: 0o644, text }) as const);
  for await (const piece of tarOf(entries)) pieces.push(piece);
  return gzipSync(Buffer.concat(pieces));
};

/** The failures for these values, as the inventory has them. */
const check = async (
  values: string,
  ofChart: unknown = schema,
  defaults = 'hostname: a.example.com\nreplicas: 1\n',
) => {
  const text = `addons:\n  web:\n    values:\n${values.replace(/^/gm, '      ')}\n`;
  const tgz = await packed(['values.schema.json', JSON.stringify(ofChart)], ['values.yaml', defaults]);
  const addon: OwnAddon = {
    is: 'own',
    name: 'web',
    chart: { path: '/web' },
    namespace: 'web',
    values: parse(text).addons.web.values,
    adopt: false,
    timeoutSeconds: 300,
  };
  const artifacts = withCharts(
    placeholderArtifacts('1.36.3'),
    new Map([['web', { name: 'web', version: '1.0.0', sha256: '', tgz }]]),
  );
  return checkValues({ cluster: clusterOf({ addons: [addon] }), inventory: '/kbs.yaml', text }, artifacts).then(
    () => [],
    (error: unknown) => failuresIn(error).map(({ message, where }) => `${where.position} ${message}`),
  );
};

it.each<[string, string, readonly string[]]>([
  ['what fits', 'replicas: 2\nservice: { ports: [80] }\nsize: 5Gi', []],
  ['null, which takes a default away', 'replicas: null', []],
  [
    'a number that is a text',
    'replicas: "2"',
    ['/kbs.yaml:4:17 addons.web.values.replicas is not what the chart takes: it must be integer'],
  ],
  [
    'one of a list',
    'service: { ports: [80, http] }',
    ['/kbs.yaml:4:30 addons.web.values.service.ports[1] is not what the chart takes: it must be integer'],
  ],
  [
    'a word that is not meant',
    'mode: slow',
    ['/kbs.yaml:4:13 addons.web.values.mode is not what the chart takes: it must be one of "fast", "safe"'],
  ],
  [
    'a key that is not known',
    'service: { tpye: x }',
    ['/kbs.yaml:4:18 addons.web.values.service.tpye is not known to the chart; did you mean type?'],
  ],
  [
    'none of several forms, once',
    'size: big',
    [
      '/kbs.yaml:4:13 addons.web.values.size is not what the chart takes: it must have one of several forms, and has none of them',
    ],
  ],
  [
    'each mistake',
    'mode: slow\nreplicas: 0',
    [
      '/kbs.yaml:5:17 addons.web.values.replicas is not what the chart takes: it must be >= 1',
      '/kbs.yaml:4:13 addons.web.values.mode is not what the chart takes: it must be one of "fast", "safe"',
    ],
  ],
])('%s', async (_, values, failures) => {
  expect(await check(values)).toEqual(failures);
});

it('a value that the chart needs and that is set nowhere is missing, at the nearest place', async () => {
  expect(await check('replicas: 2', schema, 'replicas: 1\n')).toEqual([
    '/kbs.yaml:3:5 addons.web.values.hostname is missing: the chart needs it',
  ]);
});

it.each<[string, unknown]>([
  ['a reference to elsewhere', { properties: { a: { $ref: 'https://example.com/a.json' } } }],
  ['words of an older draft', { properties: { replicas: { minimum: 5, exclusiveMinimum: true } } }],
  ['no map', true],
])('a schema with %s is left to helm', async (_, ofChart) => {
  expect(await check('replicas: 2', ofChart)).toEqual([]);
});

it('a schema of 2020 is read as one', async () => {
  const pairs = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    properties: { pair: { prefixItems: [{ type: 'string' }] } },
  };
  expect(await check('pair: [1]', pairs)).toHaveLength(1);
});

it('mistakes of the chart itself are left to helm', async () => {
  expect(await check('replicas: 2', schema, 'hostname: a\nbroken: 7\n')).toEqual([]);
});
