import type { Document, Scalar, ScalarTag, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, visit, YAMLMap } from 'yaml';
import { Failure, Failures } from '../../failure.js';
import type { Path } from '../inventory-error.js';

/** A document of another tool, read as YAML 1.1, which those tools speak: merge keys, and `yes` for true. */
export interface YamlInput {
  /** Numbers that would change as a text, such as 1.30 or 0644, are texts. */
  readonly value: unknown;
  /** `file:line:column` of the value at the path; of the nearest one above where the path does not exist. */
  at(path: Path): string;
}

/** What stands for a value that Ansible Vault encrypted. */
export const vaulted: unique symbol = Symbol('encrypted by Ansible Vault');

/** The documents of a text. Throws Failures `inventory` with `file:line:column` where it is not YAML. */
export const readYaml = (text: string, file: string): readonly YamlInput[] => {
  const lines = new LineCounter();
  const position = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const options = {
    version: '1.1' as const,
    customTags: [vaultTag, unsafeTag],
    lineCounter: lines,
    prettyErrors: false,
  };
  const documents: readonly Document.Parsed[] = [...parseAllDocuments(text, options)];
  const syntax = documents.flatMap(({ errors }) => errors.map((error) => ({ at: error.pos[0], says: explain(error) })));
  const mistakes = syntax.length > 0 ? syntax : documents.flatMap(referenceMistakes);
  if (mistakes.length > 0) {
    throw new Failures(
      mistakes.map(({ at, says }) => new Failure('inventory', says, { where: { position: position(at) } })),
    );
  }
  return documents.map((document) => {
    keepSpelling(document);
    return { value: toPlain(document, file), at: (path) => position(offsetOf(document, path)) };
  });
};

interface Mistake {
  /** The offset. */
  readonly at: number;
  readonly says: string;
}

const explain = ({ code, message }: YAMLError): string =>
  code === 'TAB_AS_INDENT' ? 'a tab cannot indent a line of YAML; use spaces' : `this is not YAML: ${message}`;

/** What the parser accepts, and what has no value: aliases without an anchor or of themselves, keys that are no texts. */
const referenceMistakes = (document: Document.Parsed): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  visit(document, {
    Alias(_, alias, above) {
      const target = alias.resolve(document);
      const at = alias.range?.[0] ?? 0;
      if (target === undefined) mistakes.push({ at, says: `*${alias.source} has no anchor` });
      else if (above.includes(target)) mistakes.push({ at, says: `*${alias.source} holds itself` });
    },
    Pair(_, { key, value }) {
      const at = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!isScalar(key)) mistakes.push({ at, says: 'a key is not a text' });
      else if (
        isMergeKey(key) &&
        !(isSeq(value) ? value.items : [value]).every((item) => isMapOrAlias(document, item))
      ) {
        mistakes.push({ at, says: '<< merges maps alone' });
      }
    },
  });
  return mistakes;
};

const isMergeKey = ({ value }: Scalar): boolean => typeof value === 'symbol' && value.description === '<<';

const isMapOrAlias = (document: Document.Parsed, node: unknown): boolean =>
  isMap(isAlias(node) ? (node.resolve(document) ?? new YAMLMap()) : node);

/** The lines of the encrypted text are not looked at. */
const vaultTag: ScalarTag = { tag: '!vault', resolve: () => vaulted };
/** A text that Ansible does not take for a template. */
const unsafeTag: ScalarTag = { tag: '!unsafe', resolve: (text) => text };

/** Neither PyYAML nor Go takes `y` for true. */
const keepSpelling = (document: Document.Parsed): void => {
  visit(document, {
    Scalar(_, node) {
      const { value, source } = node;
      if (source === undefined || value === null) return;
      const isOther = typeof value === 'boolean' ? /^[yn]$/i.test(source) : String(value) !== source;
      if (isOther && typeof value !== 'string' && typeof value !== 'symbol') node.value = source;
    },
  });
};

/** Throws where aliases of aliases stand for more values than memory holds. */
const toPlain = (document: Document.Parsed, file: string): unknown => {
  try {
    return document.toJS({ maxAliasCount: 10_000 });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new Failure('inventory', `${file} has aliases that cannot be read`, { why: [error.message], cause: error });
  }
};

const offsetOf = (document: Document.Parsed, path: Path): number => {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else {
      node = isSeq(node) ? node.items[Number(step)] : undefined;
    }
    const isEmpty = isScalar(node) && node.value === null;
    if (isNode(node) && !isEmpty) offset = node.range?.[0] ?? offset;
  }
  return offset;
};
