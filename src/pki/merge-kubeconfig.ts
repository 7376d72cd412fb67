import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
} from 'yaml';
import { Failure } from '../failure.js';
import { Secret } from '../secret.js';
import { fingerprintOf } from './certificate.js';
import { type KubeconfigEntries, kubeconfigYaml } from './kubeconfig.js';

/** The entries of a kubeconfig of kbs, which has one of each, under other names. */
export const entriesOf = (
  kubeconfig: Secret,
  names: { readonly cluster: string; readonly user: string; readonly context: string },
): KubeconfigEntries => {
  const { clusters, users, contexts } = parseDocument(kubeconfig.reveal()).toJS() as Kubeconfig;
  const [cluster, user, context] = [clusters?.[0]?.cluster ?? {}, users?.[0]?.user ?? {}, contexts?.[0]?.context ?? {}];
  return {
    cluster: { name: names.cluster, cluster },
    user: { name: names.user, user },
    context: { name: names.context, context: { ...context, cluster: names.cluster, user: names.user } },
  };
};

/**
 * The kubeconfig with these entries, and their context as the current one. Entries of the same names are replaced; in
 * place, so that every other line of the file stays as it is. A file in another layout than a block list (JSON) is
 * written anew, with all its entries and comments. Merging twice is merging once.
 *
 * Throws `refused` where the text is no kubeconfig, `file` names it, and where an entry of the same name belongs to
 * another cluster.
 */
export const mergeKubeconfig = (into: Secret, entries: KubeconfigEntries, file: string): Secret => {
  const { cluster, user, context } = entries;
  const document = parse(into.reveal(), file);
  const there = (document.toJS() ?? {}) as Kubeconfig;
  const foreign = foreignEntries(there, entries);
  if (foreign.length > 0) throw belongsToOthers(foreign, cluster.name, file);
  // A proxy, a namespace and whatever else the owner has set there stays.
  const kept = named(there.clusters, cluster.name)?.cluster;
  const keptContext = named(there.contexts, context.name)?.context;
  const wanted: readonly (readonly [List, Named & Readonly<Record<string, unknown>>])[] = [
    ['clusters', { ...cluster, cluster: { ...kept, ...cluster.cluster } }],
    ['users', user],
    ['contexts', { ...context, context: { ...keptContext, ...context.context } }],
  ];
  const begun = [['apiVersion', 'v1'] as const, ['kind', 'Config'] as const]
    .filter(([key]) => !document.has(key))
    .reduce((text, [key, value]) => withScalar(text, key, value), into.reveal());
  const listed = wanted.reduce((text, [list, entry]) => withEntry(text, list, entry), begun);
  return new Secret(withScalar(listed, 'current-context', context.name));
};

const named = <T extends Named>(list: readonly T[] | null | undefined, name: string): T | undefined =>
  list?.find((each) => each.name === name);

type List = 'clusters' | 'users' | 'contexts';

interface Named {
  readonly name: string;
}

/** The part of a kubeconfig that a merge reads. */
interface Kubeconfig {
  readonly clusters?: readonly (Named & { readonly cluster?: Readonly<Record<string, unknown>> })[] | null;
  readonly users?: readonly (Named & { readonly user?: Readonly<Record<string, unknown>> })[] | null;
  readonly contexts?:
    | readonly (Named & { readonly context?: { readonly cluster?: string; readonly user?: string } })[]
    | null;
}

const parse = (text: string, file: string): Document.Parsed => {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  const problem = error === undefined ? misshapen(document) : { what: error.message, offset: error.pos[0] };
  if (problem === undefined) return document;
  const { line, col } = lineCounter.linePos(problem.offset);
  throw new Failure('refused', `${file} is not a kubeconfig`, {
    where: { position: `${file}:${line}:${col}` },
    why: [problem.what.split('\n')[0] ?? ''],
    next: 'repair it, or name another file; it stays as it is',
  });
};

/** What of a YAML document is not as in a kubeconfig, as far as a merge is concerned. */
const misshapen = (document: Document.Parsed): { readonly what: string; readonly offset: number } | undefined => {
  if (document.contents === null) return undefined;
  if (!isMap(document.contents)) return { what: 'it holds no map', offset: 0 };
  for (const key of ['clusters', 'users', 'contexts']) {
    const pair = pairOf(document, key);
    const value: unknown = pair?.value;
    const isList = isSeq(value) ? value.items.every((item) => isMap(item)) : isScalar(value) && value.value === null;
    if (pair === undefined || isList) continue;
    return { what: `${key} is no list of maps`, offset: isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0 };
  }
  return undefined;
};

/** What of the names is taken by another cluster, a sentence each. */
const foreignEntries = (there: Kubeconfig, { cluster, user, context }: KubeconfigEntries): readonly string[] => {
  const sameCluster = named(there.clusters, cluster.name)?.cluster;
  const sameContext = named(there.contexts, context.name)?.context;
  const sameUser = named(there.users, user.name) !== undefined;
  const others = (there.contexts ?? []).filter(
    ({ context }) => context?.user === user.name && context.cluster !== cluster.name,
  );
  return [
    ...(sameCluster === undefined ? [] : otherAuthority(sameCluster, cluster)),
    ...(sameContext === undefined || sameContext.cluster === cluster.name
      ? []
      : [`context ${context.name} is one of cluster ${sameContext.cluster}`]),
    ...others.map(({ name }) => `user ${user.name} is that of context ${name}, which is of another cluster`),
    ...(sameUser && sameCluster === undefined && others.length === 0
      ? [`user ${user.name} is there, and cannot tell whose it is: no context and no cluster goes with it`]
      : []),
  ];
};

const otherAuthority = (
  there: Readonly<Record<string, unknown>>,
  { name, cluster }: KubeconfigEntries['cluster'],
): readonly string[] => {
  const [is, wanted] = [there, cluster].map((each) => authorityIn(each));
  if (is === undefined) return [`cluster ${name} has no CA in the file, so kbs cannot tell which cluster it is`];
  return is === wanted ? [] : [`cluster ${name} has another CA, of server ${String(there.server)}`];
};

/** The fingerprint of the CA, or the text of it where it is no certificate. */
const authorityIn = (cluster: Readonly<Record<string, unknown>>): string | undefined => {
  const data = cluster['certificate-authority-data'];
  if (typeof data !== 'string' || data === '') return undefined;
  const pem = Buffer.from(data, 'base64').toString();
  try {
    return fingerprintOf(pem);
  } catch {
    return pem.trim();
  }
};

const belongsToOthers = (why: readonly string[], name: string, file: string): Failure =>
  new Failure('refused', `${file} has entries of another cluster under the names of ${name}`, {
    why,
    next: `give this cluster another name there: --name NAME; or, if the other one is gone, delete its entries first: kubectl config delete-cluster ${name}, delete-context, delete-user`,
  });

/** The text with this entry in the list, in place of the one of the same name or at its end. */
const withEntry = (text: string, list: List, entry: Named): string => {
  const document = parseDocument(text);
  const items = document.get(list);
  const index = isSeq(items) ? items.items.findIndex((item) => isMap(item) && item.get('name') === entry.name) : -1;
  const there = isSeq(items) ? items.items[index] : undefined;
  if (isNode(there) && isDeepStrictEqual(there.toJS(document), entry)) return text;
  const wanted = parseDocument(text);
  const place = isSeq(items) ? [list, index < 0 ? items.items.length : index] : [list];
  wanted.setIn(place, wanted.createNode(isSeq(items) ? entry : [entry]));
  const isBegun = isSeq(items) && items.items.length > 0;
  return inPlace(text, wanted, isBegun ? spliced(text, items, index, entry) : begunList(text, document, list, entry));
};

/** The edited text where it says what is wanted; else the wanted document, written anew. */
const inPlace = (text: string, wanted: Document, edited: string | undefined): string => {
  if (edited !== undefined) {
    const document = parseDocument(edited);
    if (document.errors.length === 0 && isDeepStrictEqual(document.toJS(), wanted.toJS())) return edited;
  }
  const written = wanted.toString({
    lineWidth: 0,
    defaultStringType: 'QUOTE_DOUBLE',
    // JSON stays JSON.
    defaultKeyType: isFlow(wanted) ? 'QUOTE_DOUBLE' : 'PLAIN',
  });
  return text.includes('\r\n') ? written.replaceAll(/\r?\n/g, '\r\n') : written;
};

const spliced = (
  text: string,
  list: { readonly items: readonly unknown[]; readonly flow?: boolean },
  index: number,
  entry: Named,
): string | undefined => {
  const model = list.items.at(index < 0 ? -1 : index);
  if (list.flow === true || !isNode(model) || !model.range) return undefined;
  const dash = /-[ \t]*$/.exec(text.slice(0, model.range[0]))?.index;
  if (dash === undefined) return undefined;
  const newline = newlineOf(text);
  const indent = dash - (text.lastIndexOf('\n', dash) + 1);
  const lines = kubeconfigYaml([entry])
    .trimEnd()
    .split('\n')
    .join(`${newline}${' '.repeat(indent)}`);
  const end = lineEnd(text, endOf(model));
  if (index >= 0) return `${text.slice(0, dash)}${lines}${text.slice(end)}`;
  return `${text.slice(0, end)}${newline}${' '.repeat(indent)}${lines}${text.slice(end)}`;
};

/** The list with its first entry: where the key has no value or an empty one, and at the end where there is no key. */
const begunList = (text: string, document: Document.Parsed, list: List, entry: Named): string | undefined => {
  const newline = newlineOf(text);
  const lines = kubeconfigYaml([entry]).trimEnd().split('\n').join(newline);
  const pair = pairOf(document, list);
  if (pair === undefined) return appended(text, document, `${list}:${newline}${lines}`);
  const value: unknown = pair.value;
  if (!(isScalar(value) || isSeq(value)) || !value.range || isFlow(document)) return undefined;
  const before = text.slice(0, value.range[0]).trimEnd();
  return `${before}${newline}${lines}${text.slice(value.range[1])}`;
};

const withScalar = (text: string, key: string, value: string): string => {
  const document = parseDocument(text);
  if (document.get(key) === value) return text;
  const wanted = parseDocument(text);
  if (wanted.contents === null) wanted.contents = wanted.createNode({}) as never;
  wanted.set(key, value);
  const node: unknown = pairOf(document, key)?.value;
  const written = JSON.stringify(value);
  const edited =
    node === undefined
      ? appended(text, document, `${key}: ${written}`)
      : isScalar(node) && node.range
        ? `${text.slice(0, node.range[0]).trimEnd()} ${written}${text.slice(node.range[1])}`
        : undefined;
  return inPlace(text, wanted, edited);
};

/** With these lines at the end of the file. */
const appended = (text: string, document: Document.Parsed, lines: string): string | undefined => {
  if (isFlow(document)) return undefined;
  const newline = newlineOf(text);
  const gap = text === '' || text.endsWith('\n') ? '' : newline;
  return `${text}${gap}${lines}${newline}`;
};

const pairOf = (document: Document.Parsed, key: string): Pair | undefined =>
  isMap(document.contents)
    ? (document.contents.items.find((pair) => isScalar(pair.key) && pair.key.value === key) as Pair | undefined)
    : undefined;

/** Whether the whole text is one flow map, as JSON is. */
const isFlow = ({ contents }: Document): boolean => isMap(contents) && contents.flow === true;

const newlineOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** The end of the line on which the offset is, or that ends before it. */
const lineEnd = (text: string, offset: number): number => {
  const from = text[offset - 1] === '\n' ? offset - 1 : offset;
  const end = text.indexOf('\n', from);
  if (end < 0) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
};

/** The offset after the last character of a node, before comments. */
const endOf = (node: unknown): number => {
  if (isPair(node)) return isNode(node.value) ? endOf(node.value) : endOf(node.key);
  if (isCollection(node) && node.flow !== true && node.items.length > 0) return endOf(node.items.at(-1));
  return isNode(node) && node.range ? node.range[1] : 0;
};
