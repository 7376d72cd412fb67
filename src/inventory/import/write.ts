import { isDeepStrictEqual } from 'node:util';
import { Document, isCollection, isMap, isScalar, type Pair, parse, type YAMLMap } from 'yaml';
import type { Path } from '../inventory-error.js';
import type { Draft } from './to-inventory.js';
import type { Remark } from './tool-cluster.js';

/**
 * An inventory as a text, with each remark as a comment before the entry that it is about, or where that entry would
 * stand. `head` are the first lines of the file.
 */
export const writeDraft = ({ inventory, remarks }: Draft, head: readonly string[]): string => {
  const document = new Document(inventory, { aliasDuplicateObjects: false });
  const root = document.contents;
  if (isMap(root)) {
    setStyle(root, remarks);
    placeAll(root, remarks);
  }
  document.commentBefore = [...head.map((line) => ` ${line}`), ...rootComments(remarks)].join('\n');
  return tidy(document.toString({ lineWidth: 0, nullStr: '', flowCollectionPadding: true }));
};

/** Maps below the first two levels are on one line where they are short and nothing is said inside of them. */
const setStyle = (root: YAMLMap, remarks: readonly Remark[]): void => {
  const style = (node: unknown, path: Path): void => {
    if (!isCollection(node)) return;
    const isInside = remarks.some(
      (remark) => remark.path.length > path.length && path.every((step, index) => remark.path[index] === step),
    );
    const isTop = ['network', 'kubernetes', 'hosts'].includes(String(path[0])) && path.length === 1;
    const isSegments = path.join('.') === 'network.segments';
    if (path.length > 0 && !isTop && !isSegments && !isInside && JSON.stringify(node).length <= shortest) {
      node.flow = true;
      return;
    }
    if (!isMap(node)) return;
    for (const { key, value } of node.items) style(value, [...path, keyText(key)]);
  };
  style(root, []);
};

const shortest = 110;

/** A remark on the whole file is in its first lines. */
const rootComments = (remarks: readonly Remark[]): readonly string[] =>
  remarks.filter(({ path }) => path.length === 0).flatMap((remark) => commentLines(remark));

const placeAll = (root: YAMLMap, remarks: readonly Remark[]): void => {
  const isThere = ({ path: [key = ''] }: Remark): boolean => pairOf(root, key) !== undefined;
  const rank = ({ path: [key = ''] }: Remark): number => order.indexOf(String(key));
  const missing = remarks
    .filter((remark) => remark.path.length > 0 && !isThere(remark))
    .toSorted((a, b) => rank(a) - rank(b));
  // Before the next of the other entries, and apart from what is said of that one.
  const nextOf = (remark: Remark): Pair | undefined =>
    root.items.find((pair) => order.indexOf(keyText(pair.key)) > rank(remark));
  for (const remark of missing) {
    const [key = ''] = remark.path;
    addBefore(nextOf(remark), commentLines(remark, remark.placeholder === undefined ? `${key}: ` : ''));
  }
  for (const next of new Set(missing.map(nextOf))) addBefore(next, ['']);
  for (const remark of remarks.filter(isThere)) place(root, remark);
};

/** Before the entry, or at the end of the map that would hold it. */
const place = (root: YAMLMap, remark: Remark): void => {
  let map = root;
  for (const [index, step] of remark.path.entries()) {
    const pair = pairOf(map, step);
    if (pair === undefined) {
      map.comment = [...(map.comment ? [map.comment] : []), ...commentLines(remark)].join('\n');
      return;
    }
    if (index === remark.path.length - 1 || !isMap(pair.value)) {
      addBefore(pair, commentLines(remark));
      return;
    }
    map = pair.value;
  }
};

/** The order of the schema. */
const order = [
  ...['apiVersion', 'cluster', 'kubernetes', 'network', 'endpoint', 'loadBalancer', 'dns', 'ssh', 'artifacts', 'proxy'],
  ...['registries', 'addons', 'hosts'],
];

const addBefore = (pair: Pair | undefined, lines: readonly string[]): void => {
  const key = pair?.key;
  if (!isScalar(key)) return;
  const there = key.commentBefore;
  key.commentBefore = [...(there ? [there] : []), ...lines].join('\n');
};

const pairOf = (map: YAMLMap, step: string | number): Pair | undefined =>
  map.items.find(({ key }) => keyText(key) === String(step));

const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : '');

/** The lines of a comment without their `#`, each with the space after it. A placeholder has a line of its own. */
const commentLines = ({ text, placeholder, kind }: Remark, before = ''): readonly string[] => {
  const sentence = oneLine(`${kind === 'decide' ? 'to decide: ' : ''}${before}${text}`);
  return [...wrap(sentence), ...(placeholder === undefined ? [] : [placeholder])].map((line) => ` ${line}`);
};

/** Text of the input ends no comment. */
const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ');

const wrap = (text: string): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= widest) lines.push(word);
    else lines.splice(-1, 1, `${last} ${word}`);
  }
  return lines;
};

const widest = 108;

/** Lists without inner spaces, `[a, b]`, as in all examples, where no text of the inventory looks like one. */
const tidy = (text: string): string => {
  const tidied = text.replaceAll(/^(\s*[^\s#].*)$/gm, (line) => line.replaceAll(/\[ ([^[\]]*) \]/g, '[$1]'));
  return isDeepStrictEqual(parse(tidied), parse(text)) ? tidied : text;
};
