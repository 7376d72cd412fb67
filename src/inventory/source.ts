import type { Document, Node, Pair, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { InventoryError, Path } from './inventory-error.js';
import { errorText, inventoryKeyError } from './inventory-error.js';

/** A YAML text and the positions of its values. Lines and columns count from 1. */
export interface InventorySource {
  /** Invalid YAML, and YAML that is easily misread. */
  readonly errors: readonly LocatedError[];
  /** Undefined where the errors leave nothing to read. A duplicate key has its first value. */
  readonly value: unknown;
  /** An error at its position; at the nearest key above where the path does not exist. */
  locate(error: InventoryError): LocatedError;
  /** Whether the text has the path, even if only a key without a value. */
  has(path: Path): boolean;
  /** The value at the path as it is written, on one line of at most 60 characters. */
  textAt(path: Path): string;
}

export interface LocatedError {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export const readSource = (text: string): InventorySource => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const at = (offset: number, message: string): LocatedError => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), message };
  };
  const locate = (error: InventoryError): LocatedError => at(offsetOf(document, error), errorText(error));
  const [unread] = /[\0\uFFFD]/.exec(text) ?? [];
  if (unread !== undefined) {
    const is = text.includes('\0') ? 'is not UTF-8 but, as it seems, UTF-16' : 'has a byte here that is not UTF-8';
    const error = at(text.indexOf(unread), `the file ${is}; save it as UTF-8`);
    return { errors: [error], value: undefined, locate, has: () => false, textAt: () => '' };
  }
  const syntax = [...document.errors, ...document.warnings].map((error) => at(error.pos[0], explain(error)));
  return {
    ...(syntax.length > 0 ? { errors: syntax, value: undefined } : readDocument(document, at)),
    locate,
    has: (path) => nodeAt(document, path) !== undefined || pairAt(document, path) !== undefined,
    textAt: (path) => shorten(withoutPasswords(nodeText(nodeAt(document, path)))),
  };
};

/** The parser's message, or a clearer one. */
const explain = ({ code, message }: YAMLError): string => explanations[code] ?? `this is not YAML: ${message}`;

const explanations: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab cannot indent a line of YAML; use spaces',
  MULTIPLE_DOCS: 'a second document begins here; this file is one document',
  TAG_RESOLVE_FAILED: 'a tag has no meaning here; remove it',
};

type At = (offset: number, message: string) => LocatedError;

/** A wrong key hides no other error: it is repaired in the document, and the rest is read. */
const readDocument = (document: Document, at: At): Pick<InventorySource, 'errors' | 'value'> => {
  const keys = repairKeys(document, at);
  const references = [...aliasErrors(document, at), ...mergeErrors(document, at)];
  if (references.length > 0) return { errors: [...keys, ...references], value: undefined };
  try {
    return { errors: keys, value: document.toJS({ maxAliasCount: 100_000 }) };
  } catch (error) {
    // A few lines of aliases can stand for more values than memory holds.
    if (!(error instanceof ReferenceError)) throw error;
    const message = 'aliases of aliases stand for more than 100000 values; write some of them out';
    return { errors: [...keys, at(0, message)], value: undefined };
  }
};

/**
 * Reports duplicate keys, and keys that YAML does not read as texts. The first of two entries stays, a number or the
 * like becomes the text that it looks like, and an entry whose key cannot be a name is removed.
 */
const repairKeys = (document: Document, at: At): readonly LocatedError[] => {
  const errors: LocatedError[] = [];
  visit(document, {
    Pair(_, pair, above) {
      const map = above.at(-1);
      if (!isMap(map)) return;
      const { key } = pair;
      const path = [...above.filter(isPair).map(keyOf), keyOf(pair)];
      const say = (says: string) => errors.push(at(offsetOfKey(pair), errorText(inventoryKeyError(path, says))));
      const isText = isScalar(key) && typeof key.value === 'string';
      const isSecond = map.items.find((other) => keyOf(other) === keyOf(pair)) !== pair;
      if (!isText) say('the key is not a text; put it in quotes');
      else if (key.value === '__proto__') say('is not allowed as a name');
      else if (isSecond) say('is there twice; remove one of the two');
      if (!isScalar(key) || key.value === '__proto__' || isSecond) return visit.REMOVE;
      key.value = keyOf(pair);
    },
  });
  return errors;
};

/** Reports aliases without an anchor, and aliases inside the value that they stand for. */
const aliasErrors = (document: Document, at: At): readonly LocatedError[] => {
  const errors: LocatedError[] = [];
  visit(document, {
    Alias(_, alias, above) {
      const target = alias.resolve(document);
      if (target === undefined) {
        errors.push(at(alias.range?.[0] ?? 0, `*${alias.source} has no anchor; write &${alias.source} before it`));
      } else if (above.includes(target)) {
        errors.push(at(alias.range?.[0] ?? 0, `*${alias.source} holds itself; write the value out`));
      }
    },
  });
  return errors;
};

/** YAML 1.2 has no merge keys: `<<` would be a key like any other, and what it was to bring would be missing. */
const mergeErrors = (document: Document, at: At): readonly LocatedError[] => {
  const errors: LocatedError[] = [];
  visit(document, {
    Pair(_, pair) {
      if (keyOf(pair) === '<<') {
        errors.push(at(offsetOfKey(pair), '`<<` merges nothing in YAML 1.2; write the keys out that it stands for'));
      }
    },
  });
  return errors;
};

/** A key as it is written: `0x1f` is a number to YAML. */
const keyOf = ({ key }: Pair): string => {
  if (!isScalar(key)) return '';
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
};

const offsetOfKey = ({ key }: Pair): number => (isNode(key) ? (key.range?.[0] ?? 0) : 0);

/**
 * The offset of an error: that of its value, or of its key where the key is wrong or has no value; that of the nearest
 * key or list item above where the path does not exist.
 */
const offsetOf = (document: Document, { path, inKey }: InventoryError): number => {
  for (let length = path.length; length > 0; length--) {
    const pair = pairAt(document, path.slice(0, length));
    const node = nodeAt(document, path.slice(0, length));
    const start = node?.range?.[0];
    const meansKey = inKey === true || length < path.length || start === undefined || isBlank(node);
    if (meansKey && pair !== undefined) return offsetOfKey(pair);
    if (start !== undefined) return start;
  }
  return 0;
};

/** A key without a value. */
const isBlank = (node: Node | undefined): boolean => isScalar(node) && node.value === null && !node.source;

/** The key and value that the last step of a path names, where that step is a key. */
const pairAt = (document: Document, path: Path): Pair | undefined => {
  const parent = nodeAt(document, path.slice(0, -1));
  return isMap(parent) ? parent.items.find((pair) => keyOf(pair) === String(path.at(-1))) : undefined;
};

const nodeAt = (document: Document, path: Path): Node | undefined => {
  let node: unknown = document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) node = node.items.find((pair) => keyOf(pair) === String(step))?.value;
    else if (isSeq(node)) node = node.items[Number(step)];
    else return undefined;
  }
  if (isAlias(node)) node = node.resolve(document);
  return isScalar(node) || isMap(node) || isSeq(node) ? node : undefined;
};

/** A scalar as it is written; a collection as one line. */
const nodeText = (node: Node | undefined): string => {
  if (isScalar(node)) return node.source ?? String(node.value);
  return node === undefined ? '' : JSON.stringify(node);
};

/** A password has no place in a web address; where there is one, no error repeats it. */
const withoutPasswords = (text: string): string => text.replace(/(:\/\/)\S*@/g, '$1***@');

const shorten = (text: string): string => {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};
