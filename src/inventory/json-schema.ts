import { z } from 'zod';
import { inventorySchema } from './schema/schema.js';

/** The part of JSON Schema that the inventory's schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
}

/** The inventory's JSON Schema (draft 7), for editors, from the same source as the checks. */
export const inventoryJsonSchema = (): JsonSchema =>
  // zod's type is wider than the part of draft 7 that the schema uses.
  tidy(z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' })) as JsonSchema;

/** The keys that a reader needs first. */
const order = ['$schema', 'title', 'description', 'type', 'enum', 'default', 'examples', 'pattern'];

const tidy = (node: unknown, isSchema = true): unknown => {
  if (Array.isArray(node)) return node.map((item) => tidy(item));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([, value]) => value !== undefined);
  const sorted = isSchema ? entries.toSorted(([a], [b]) => rank(a) - rank(b)) : entries;
  return Object.fromEntries(sorted.map(([key, value]) => [key, tidy(value, !(isSchema && key === 'properties'))]));
};

const rank = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
