import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { inventoryJsonSchema, type JsonSchema } from '../../src/inventory/json-schema.js';
import { plainInventory } from './samples.js';

const schema = inventoryJsonSchema();

/** The errors that an editor shows for a value; empty where it is valid. */
const said = (value: unknown): string => {
  const validator = new Ajv();
  return validator.validate(schema, value) ? '' : validator.errorsText();
};

const folder = new URL('../../inventories/', import.meta.url);

test.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('%s follows the schema', (name) => {
  expect(said(parse(readFileSync(new URL(name, folder), 'utf8')))).toBe('');
});

test.each([
  ['an unknown key', { metal: true }],
  ['a version that is a number', { kubernetes: { version: 1.36 } }],
  ['an unknown role', { hosts: { a: { address: '192.168.10.10', roles: ['master'] } } }],
  ['a host without an address', { hosts: { a: { roles: ['worker'] } } }],
  ['a name that is no DNS label', { hosts: { A_1: { address: '192.168.10.10', roles: ['worker'] } } }],
  ['a jump host that ssh would take for an option', { ssh: { jump: '-oProxyCommand=id' } }],
])('%s is marked in an editor', (_, overrides) => {
  expect(said(plainInventory())).toBe('');
  expect(said(plainInventory(overrides))).not.toBe('');
});

describe('the schema', () => {
  it('requires nothing that has a default', () => {
    expect(schema.required).toEqual(['apiVersion', 'cluster', 'kubernetes', 'network', 'hosts']);
    expect(schema.properties?.network?.required).toEqual(['segments']);
  });

  it('explains every key, and titles every map', () => {
    expect(unexplained('', schema)).toEqual([]);
  });

  it('gives examples that follow it', () => {
    const validator = new Ajv();
    for (const part of partsOf(schema))
      for (const example of part.examples ?? []) expect(validator.validate({ ...part }, example)).toBe(true);
  });
});

const unexplained = (path: string, part: JsonSchema): readonly string[] => [
  ...(part.description ? [] : [`${path} has no description`]),
  ...(part.properties === undefined || part.title ? [] : [`${path} has no title`]),
  ...Object.entries(part.properties ?? {}).flatMap(([key, value]) => unexplained(`${path}.${key}`, value)),
  ...(part.additionalProperties ? unexplained(`${path}.*`, part.additionalProperties) : []),
];

const partsOf = (part: JsonSchema): readonly JsonSchema[] => [
  part,
  ...Object.values(part.properties ?? {}).flatMap(partsOf),
  ...(part.additionalProperties ? partsOf(part.additionalProperties) : []),
  ...(part.items ? partsOf(part.items) : []),
];
