import type { JsonSchema } from '../src/inventory/json-schema.js';

/** The inventory's reference for readers, in Markdown: an example, then a table for each map. */
export function inventoryReference(schema: JsonSchema, example: string): string {
  return `# The inventory

<!-- Written by npm run generate from src/inventory/schema/schema.ts. -->

One YAML file describes one cluster. \`kbs inventory init\` writes one to start from, \`kbs inventory import\` makes one
[from a file of another tool](../coming-from.md), \`kbs inventory validate\` reports every mistake in it with file, line and
column, and with the first line below an editor completes and checks it (\`kbs inventory schema > kbs.schema.json\` writes
the schema).

\`\`\`yaml
${example.trimEnd()}
\`\`\`

Names of hosts and segments are DNS labels: lower-case letters, digits and inner dashes. Addresses are IPv4.
Write a version that looks like a number in quotes, \`"1.36"\`: YAML would make a number of it.
Keys that are not listed here are mistakes.

${sections('', schema)
  .map(({ name, map }) => section(name, map))
  .join('\n\n')}
`;
}

interface Section {
  /** `hosts.NAME`; empty for the whole file. */
  readonly name: string;
  readonly map: JsonSchema;
}

/** A map and all maps in it, each before what is in it. */
function sections(name: string, map: JsonSchema): readonly Section[] {
  const inner = Object.entries(map.properties ?? {}).flatMap(([key, value]) => {
    const path = name === '' ? key : `${name}.${key}`;
    const shape = mapIn(value);
    if (value.items?.properties) return sections(`${path}[]`, value.items);
    const entry = value.additionalProperties || undefined;
    return [...(shape ? sections(path, shape) : []), ...(entry?.properties ? sections(`${path}.NAME`, entry) : [])];
  });
  // A host's own `ssh` has the keys of the one for all hosts.
  return [{ name, map }, ...inner.filter((one) => one.name !== 'hosts.NAME.ssh')];
}

/** The map that a value is, or may be. */
const mapIn = (schema: JsonSchema): JsonSchema | undefined =>
  schema.properties ? schema : schema.anyOf?.find(({ properties }) => properties);

function section(name: string, map: JsonSchema): string {
  const rows = Object.entries(map.properties ?? {}).map(([key, value]) => row(key, value, map));
  const heading = name === '' ? '## The file' : `## \`${name}\`\n\n${map.description ?? ''}`;
  return [heading, '', '| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function row(key: string, schema: JsonSchema, map: JsonSchema): string {
  const [meaning = '', spoken] = (schema.description ?? '').split(' Default: ');
  const required = map.required?.includes(key) ? '**required**' : (written(schema.default) ?? '');
  const fallback = spoken === undefined ? required : spoken.replace(/\.$/, '');
  return `| \`${key}\` | ${cell(possible(schema))} | ${cell(fallback)} | ${cell(meaning)} |`;
}

/** What may stand there, shortly. */
function possible(schema: JsonSchema): string {
  const { type, anyOf, items, properties, additionalProperties, minimum, maximum } = schema;
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.not) return 'nothing yet';
  if (anyOf) {
    const [first] = anyOf;
    return `${first?.enum ? possible(first) : example(schema)}, or ${anyOf.some(({ type }) => type === 'object') ? 'a map' : 'a list'}`;
  }
  if (properties) return 'a map';
  if (additionalProperties && !additionalProperties.examples && !additionalProperties.properties) return 'a map';
  if (additionalProperties)
    return additionalProperties.properties ? 'maps by name' : `texts by name: ${example(additionalProperties)}`;
  if (items?.properties) return 'a list of maps';
  if (items) return `a list of ${items.enum ? possible(items) : `texts: ${example(items)}`}`;
  if (type === 'integer') return `${minimum} to ${maximum}`;
  return type === 'boolean' ? '`true`, `false`' : example(schema);
}

const example = ({ examples: [first] = [] }: JsonSchema): string => `\`${String(first)}\``;

const written = (value: unknown): string | undefined =>
  value === undefined || (typeof value === 'object' && value !== null) ? undefined : `\`${String(value)}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
