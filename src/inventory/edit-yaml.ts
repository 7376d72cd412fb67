import { isDeepStrictEqual } from 'node:util';
import {
  Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { Failure } from '../failure.js';

/**
 * A YAML text in which the map entry at the path has this value: a new entry follows the last one of its map, in the
 * same style; an existing one has its scalar replaced. No other character changes.
 * Throws `inventory` where the layout of the text does not allow that.
 */
export const withEntry = (text: string, path: readonly string[], value: unknown): string => {
  const key = path.at(-1) ?? '';
  const document = parseDocument(text);
  const map = document.getIn(path.slice(0, -1));
  if (document.errors.length > 0) {
    throw new Failure('inventory', 'the inventory is not valid YAML', { next: 'see where: kbs inventory validate' });
  }
  // What has an anchor may stand in other places too.
  if (!isMap(map) || map.anchor !== undefined) throw editByHand(path, value);
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  const edited =
    pair !== undefined
      ? replaced(text, pair, value)
      : map.flow
        ? inFlow(text, map, key, value)
        : inBlock(text, map, key, value);
  if (!isExactEdit(edited, text, (document) => document.setIn(path, value))) throw editByHand(path, value);
  return edited;
};

/**
 * The YAML text with this text as the item of the list at the path: in place of the item at `index`, or after the last
 * one where `index` is negative. No other character changes. Throws `inventory` where the layout does not allow that.
 */
export const withItem = (text: string, path: readonly string[], index: number, value: string): string => {
  const document = parseDocument(text);
  const list = document.getIn(path);
  const last = isSeq(list) ? list.items.at(-1) : undefined;
  const node = isSeq(list) ? (index < 0 ? last : list.items[index]) : undefined;
  if (!isSeq(list) || list.anchor !== undefined || document.errors.length > 0 || !isScalar(node) || !node.range) {
    throw editByHand(path, value);
  }
  const [start, end] = node.range;
  const written = list.flow ? inline('x', [value]).slice('x: ['.length, -1) : yamlText(new Document(value));
  const item = index < 0 ? `${text.slice(start, end)}${itemSeparator(text, list.flow === true, start)}` : '';
  const edited = `${text.slice(0, start)}${item}${written}${text.slice(end)}`;
  const at = [...path, index < 0 ? list.items.length : index];
  if (!isExactEdit(edited, text, (wanted) => wanted.setIn(at, value))) throw editByHand(path, value);
  return edited;
};

/** What stands between two items: a comma, or the beginning of the line of the item at `start`. */
const itemSeparator = (text: string, flow: boolean, start: number): string => {
  if (flow) return ', ';
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  return `${text.includes('\r\n') ? '\r\n' : '\n'}${line}`;
};

/**
 * The YAML text without the map entry at the path: without its lines in a block map, without its part between commas
 * in a flow map. Comments on lines of their own stay, and no other character changes. A text without the entry stays as
 * it is. Throws `inventory` where the layout of the text does not allow that.
 */
export const withoutEntry = (text: string, path: readonly string[]): string => {
  const map = parseDocument(text).getIn(path.slice(0, -1));
  const index = isMap(map) ? map.items.findIndex(({ key }) => isScalar(key) && key.value === path.at(-1)) : -1;
  if (!isMap(map) || index < 0) return text;
  const edited = map.flow ? cutFlow(text, map, index) : cutBlock(text, map, index);
  if (map.items.length === 1 || !isExactEdit(edited, text, (document) => document.deleteIn(path))) {
    throw new Failure('inventory', `${path.join('.')} cannot be removed from the inventory, because of its layout`, {
      next: 'remove it by hand',
    });
  }
  return edited;
};

/** The value at a path, or undefined where there is none or the text is not YAML. */
export const entryAt = (text: string, path: readonly string[]): unknown => {
  const value: unknown = parseDocument(text).getIn(path);
  return isCollection(value) ? value.toJSON() : value;
};

/** Whether the edited text differs from the old one by this edit alone. */
const isExactEdit = (edited: string, text: string, edit: (document: Document.Parsed) => void): boolean => {
  const document = parseDocument(edited);
  if (document.errors.length > 0) return false;
  const wanted = parseDocument(text);
  edit(wanted);
  try {
    return isDeepStrictEqual(document.toJS(everyAlias), wanted.toJS(everyAlias));
  } catch (error) {
    // An alias of the removed entry.
    if (error instanceof ReferenceError) return false;
    throw error;
  }
};

const everyAlias = { maxAliasCount: -1 };

const editByHand = (path: readonly string[], value: unknown): Failure =>
  new Failure('inventory', `${path.join('.')} cannot be written into the inventory, because of its layout`, {
    next: `write it by hand, then run this again: ${inline(path.at(-1) ?? '', value)}`,
  });

const replaced = (text: string, { value: node }: Pair, value: unknown): string => {
  const [start, end] = isScalar(node) && node.range ? node.range : [text.length, text.length];
  return `${text.slice(0, start)}${yamlText(new Document(value))}${text.slice(end)}`;
};

const inFlow = (text: string, map: YAMLMap, key: string, value: unknown): string => {
  const last = map.items.at(-1);
  const at = last === undefined ? (map.range?.[0] ?? 0) + 1 : endOf(last);
  const entry = inline(key, value);
  return `${text.slice(0, at)}${last === undefined ? ` ${entry} ` : `, ${entry}`}${text.slice(at)}`;
};

const inBlock = (text: string, map: YAMLMap, key: string, value: unknown): string => {
  const last = map.items.at(-1);
  if (last === undefined) return text;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = columnOf(text, last);
  const lines = entryLines(text, last, indent, key, value).map((line) => `${' '.repeat(indent)}${line}`);
  const end = endOf(last);
  const lineEnd = text.indexOf('\n', text[end - 1] === '\n' ? end - 1 : end);
  const at = lineEnd < 0 ? text.length : lineEnd + 1;
  const before = lineEnd < 0 ? newline : '';
  return `${text.slice(0, at)}${before}${lines.join(newline)}${newline}${text.slice(at)}`;
};

const cutBlock = (text: string, map: YAMLMap, index: number): string => {
  const pair = map.items[index];
  if (pair === undefined) return text;
  const start = startOf(pair) - columnOf(text, pair);
  const end = endOf(pair);
  const lineEnd = text.indexOf('\n', text[end - 1] === '\n' ? end - 1 : end);
  return `${text.slice(0, start)}${lineEnd < 0 ? '' : text.slice(lineEnd + 1)}`;
};

/** On a shared line, with the comma before the entry; on a line of its own, with the line, and that comma may stay. */
const cutFlow = (text: string, map: YAMLMap, index: number): string => {
  const [before, pair, after] = [map.items[index - 1], map.items[index], map.items[index + 1]];
  if (pair === undefined) return text;
  const [start, end] = [startOf(pair), endOf(pair)];
  const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
  const lineStart = text.lastIndexOf('\n', start) + 1;
  const rest = /^[^\S\n]*(#[^\n]*)?\n/.exec(text.slice(end + comma))?.[0].length;
  if (lineStart > 0 && text.slice(lineStart, start).trim() === '' && rest !== undefined) {
    return `${text.slice(0, lineStart)}${text.slice(end + comma + rest)}`;
  }
  if (after !== undefined) return `${text.slice(0, start)}${text.slice(startOf(after))}`;
  return `${text.slice(0, before === undefined ? start : endOf(before))}${text.slice(end)}`;
};

/** The entry in lines, in block style where its neighbor is. */
const entryLines = (text: string, neighbor: Pair, indent: number, key: string, value: unknown): readonly string[] => {
  const model = neighbor.value;
  const first = isMap(model) && model.flow !== true ? model.items[0] : undefined;
  if (!isMap(model) || first === undefined) return [inline(key, value)];
  const document = new Document({ [key]: value });
  const made = document.getIn([key]);
  for (const { key: name, value: node } of isMap(made) ? made.items : []) {
    const counterpart = isScalar(name) ? model.get(name.value) : undefined;
    if (isCollection(node)) node.flow = !isCollection(counterpart) || counterpart.flow === true;
  }
  return yamlText(document, columnOf(text, first) - indent).split('\n');
};

/** The entry on one line, quoted where YAML would read it as another type. */
const inline = (key: string, value: unknown): string => {
  const document = new Document({ [key]: value });
  if (isCollection(document.contents)) document.contents.flow = true;
  return yamlText(document).slice(1, -1).trim();
};

/** Maps with inner spaces, `{ a: b }`, and lists without, `[a, b]`, as in all examples. */
const yamlText = (document: Document, indent = 2): string =>
  document
    .toString({ lineWidth: 0, flowCollectionPadding: true, indent })
    .trim()
    .replace(/\[ (.*) \]/, '[$1]');

/** The offset after the last character of an entry, before comments. */
const endOf = ({ key, value }: Pair): number => {
  if (isCollection(value) && value.flow !== true) {
    const last: unknown = value.items.at(-1);
    if (isNode(last)) return last.range?.[1] ?? 0;
    if (isPair(last)) return endOf(last);
  }
  if (isNode(value) && value.range) return value.range[1];
  return isNode(key) ? (key.range?.[1] ?? 0) : 0;
};

const startOf = ({ key }: Pair): number => (isNode(key) ? (key.range?.[0] ?? 0) : 0);

const columnOf = (text: string, pair: Pair): number => startOf(pair) - (text.lastIndexOf('\n', startOf(pair) - 1) + 1);
