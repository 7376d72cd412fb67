import { createHash } from 'node:crypto';
import type { State } from '../../src/resources/resource.js';

/** What a query is about. */
interface Subject {
  readonly kind: string;
  readonly id: string;
}

/** The resource that a query asks for; undefined for one that is no query of a kind that has a state of its own here. */
export const subjectOf = (query: string): Subject | undefined => {
  const [word = '', ...args] = query.split(' ').map((each) => each.replace(/^'(.*)'$/, '$1'));
  const [first = '', second = ''] = args;
  switch (word) {
    case 'look_file':
      return { kind: 'file', id: first };
    case 'look_directory':
      return { kind: 'directory', id: first };
    case 'look_binary':
      return { kind: 'binary', id: first };
    case 'look_unit':
      return { kind: 'unit', id: first };
    case 'look_sysctl':
      return { kind: 'sysctl', id: /zz-kbs-(.*)\.conf$/.exec(second)?.[1] ?? '' };
    case 'look_table':
      return { kind: 'nft-table', id: `${first} ${second}` };
    case 'look_route':
      return { kind: 'route', id: first.replaceAll('\\.', '.') };
    case 'query_packages':
      return { kind: 'package', id: args.slice(1).join(' ') };
    case 'look_hosts':
      return { kind: 'hosts-entry', id: first };
  }
  if (query.startsWith('there=no built_in=no')) {
    return { kind: 'kernel-module', id: /modules-load\.d\/kbs-(.*)\.conf/.exec(query)?.[1] ?? '' };
  }
  if (query.includes('done < /proc/swaps')) return { kind: 'swap', id: 'off' };
  if (query.includes('"$kbs_images"')) return { kind: 'image', id: '' };
  return undefined;
};

/** One name for what queries of several resources are about: a zone is a file, and images are all in one list. */
export const keyOf = ({ kind, id }: Subject): string => {
  if (kind === 'image') return 'image';
  if (kind === 'zone') return `file ${id}`;
  if (kind === 'route') return `route ${id === '0.0.0.0/0' ? 'default' : id.replace(/\/32$/, '')}`;
  return `${kind} ${id}`;
};

/** The state of a resource that kbs has made so. */
export const madeState = (kind: string, seen: State | undefined, wanted: State): State => ({
  ...seen,
  ...wanted,
  ...(kind === 'kernel-module' ? { listed: 'yes' } : {}),
  touched: 'yes',
});

/** What the query prints where the resource is in this state, or has never been there. */
export const printState = ({ kind, id }: Subject, state: State | undefined, query: string): string =>
  printers[kind]?.(state, { id, query }) ?? '';

interface Asked {
  readonly id: string;
  readonly query: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const printers: Readonly<Record<string, (state: State | undefined, asked: Asked) => string>> = {
  file(state, { id, query }) {
    if (state === undefined) return '';
    const { content = '', mode, owner, touched } = state;
    const digest = content.startsWith('sha256:') ? content.slice('sha256:'.length) : undefined;
    const text = content.replace('@SERIAL@', '1');
    if (query.endsWith('as_text') && digest !== undefined) throw new Error(`${id} holds a secret and is read as text`);
    const body = query.endsWith('as_digest') ? `${digest ?? sha256(text)}  -` : base64(text);
    return `file ${mode} ${owner} ${touched}\n${body}`;
  },
  directory: (state) => (state === undefined ? '' : `directory ${state.mode} ${state.owner} ${state.touched}`),
  binary: (state) =>
    state === undefined
      ? ''
      : [
          `file ${state.touched} ${state.mode} ${state.owner} 1 2 3`,
          state.sha256,
          ...(state.links?.split(' ') ?? []),
        ].join('\n'),
  unit(state) {
    if (state === undefined) return '';
    return [
      `Touched=${state.touched}`,
      `UnitFileState=${state.enabled}`,
      `ActiveState=${state.active}`,
      `NeedDaemonReload=${state.loaded === 'current' ? 'no' : 'yes'}`,
      `Environment=KBS_DIGEST=${state.running}`,
      `Running=${state.running}`,
      `Text=${base64(state.content ?? '')}`,
    ].join('\n');
  },
  sysctl: (state, { id }) =>
    state === undefined ? 'no\n0' : `${state.touched}\n${state.value ?? '0'}\n# Written by kbs.\n${id} = ${state.boot}`,
  'kernel-module': (state) => (state === undefined ? 'no no no' : `yes no ${state.listed}`),
  swap: () => '',
  route: (state, { id }) =>
    state === undefined ? '' : `${keyOf({ kind: 'route', id }).slice(6)} via ${state.via} proto static`,
  'nft-table': (state) => state?.content ?? '',
  'hosts-entry': (state) => `in /etc/hosts\n${state?.line ?? ''}`,
  image: (state) =>
    Object.entries(state ?? {})
      .map(([reference, digest]) => `${reference} ${digest}`)
      .join('\n'),
  package: (state, { id }) =>
    [
      `touched ${state?.touched ?? 'no'}`,
      'installation whole',
      ...id.split(' ').map((name) => `package ${name} ${state === undefined ? '' : 'ii 1.0'}`),
    ].join('\n'),
};
