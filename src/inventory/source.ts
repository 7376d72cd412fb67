import type { Document, Node, Pair, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { InventoryError, Path } from './inventory-error.js';
import { inventoryKeyError, sentence } from './inventory-error.js';

/** A YAML text and where everything is in it. Lines and columns count from 1. */
export interface Source {
  /** What is no YAML, or YAML that means something else than it seems. */
  readonly faults: readonly LocatedError[];
  /** Undefined where the faults leave nothing to read. A key that is there twice has its first value. */
  readonly value: unknown;
  /** A mistake at its position; that of the nearest key above where the path leads nowhere. */
  place(mistake: InventoryError): LocatedError;
  /** Whether something is written at the path, be it only a key without a value. */
  has(path: Path): boolean;
  /** The value at the path as the text shows it, on one line and not too long. */
  shown(path: Path): string;
}

export interface LocatedError {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export const readSource = (text: string): Source => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const at = (offset: number, message: string): LocatedError => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), message };
  };
  const place = (mistake: InventoryError): LocatedError => at(offsetOf(document, mistake), sentence(mistake));
  const syntax = [...document.errors, ...document.warnings].map((error) => at(error.pos[0], explain(error)));
  return {
    ...(syntax.length > 0 ? { faults: syntax, value: undefined } : meaningOf(document, at)),
    place,
    has: (path) => nodeAt(document, path) !== undefined || pairAt(document, path) !== undefined,
    shown: (path) => shorten(show(nodeAt(document, path))),
  };
};

/** The parser's sentence, or ours where it would leave a reader alone. */
const explain = ({ code, message }: YAMLError): string => ours[code] ?? `this is no YAML: ${message}`;

const ours: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab cannot indent a line of YAML; use spaces',
  MULTIPLE_DOCS: 'a second document begins here; an inventory is one document',
  TAG_RESOLVE_FAILED: 'a tag has no meaning in an inventory; take it away',
};

type At = (offset: number, message: string) => LocatedError;

/** A wrong key hides no other mistake: it is put right in the document, and what is left is read. */
const meaningOf = (document: Document, at: At): Pick<Source, 'faults' | 'value'> => {
  const keys = mendKeys(document, at);
  const aliases = aliasFaults(document, at);
  if (aliases.length > 0) return { faults: [...keys, ...aliases], value: undefined };
  try {
    return { faults: keys, value: document.toJS({ maxAliasCount: 100_000 }) };
  } catch (error) {
    // A few lines of aliases can stand for more values than memory holds.
    if (!(error instanceof ReferenceError)) throw error;
    const message = 'aliases of aliases stand for more than 100000 values; write some of them out';
    return { faults: [...keys, at(0, message)], value: undefined };
  }
};

/**
 * Keys that are there twice, or that YAML does not read as texts. The first of two stays, a number or the like becomes
 * the text that it looks like, and an entry whose key cannot be a name goes.
 */
const mendKeys = (document: Document, at: At): readonly LocatedError[] => {
  const faults: LocatedError[] = [];
  visit(document, {
    Pair(_, pair, above) {
      const map = above.at(-1);
      if (!isMap(map)) return;
      const { key } = pair;
      const path = [...above.filter(isPair).map(keyOf), keyOf(pair)];
      const say = (says: string) => faults.push(at(offsetOfKey(pair), sentence(inventoryKeyError(path, says))));
      const isText = isScalar(key) && typeof key.value === 'string';
      const isSecond = map.items.find((other) => keyOf(other) === keyOf(pair)) !== pair;
      if (!isText) say('the key is not a text; put it in quotes');
      else if (key.value === '__proto__') say('is not allowed as a name');
      else if (isSecond) say('is there twice; take one of the two away');
      if (!isScalar(key) || key.value === '__proto__' || isSecond) return visit.REMOVE;
      key.value = keyOf(pair);
    },
  });
  return faults;
};

/** Anchors are resolved here and nowhere else, so that each is known to lead somewhere, and not in a circle. */
const aliasFaults = (document: Document, at: At): readonly LocatedError[] => {
  const faults: LocatedError[] = [];
  visit(document, {
    Alias(_, alias, above) {
      const target = alias.resolve(document);
      if (target === undefined) {
        faults.push(at(alias.range?.[0] ?? 0, `*${alias.source} has no anchor; write &${alias.source} before it`));
      } else if (above.includes(target)) {
        faults.push(at(alias.range?.[0] ?? 0, `*${alias.source} holds itself; write the value out`));
      }
    },
  });
  return faults;
};

const keyOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : '');

const offsetOfKey = ({ key }: Pair): number => (isNode(key) ? (key.range?.[0] ?? 0) : 0);

/**
 * Where a mistake is: the value that it names, or its key where the key is what is wrong or has no value; the nearest
 * key or list item above where the path leads nowhere.
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

/** A key with nothing behind it. */
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
const show = (node: Node | undefined): string => {
  if (isScalar(node)) return node.source ?? String(node.value);
  return node === undefined ? '' : JSON.stringify(node);
};

const shorten = (text: string): string => {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};
