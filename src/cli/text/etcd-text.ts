import type { Member } from '../../kubernetes/etcd-members.js';
import type { EtcdStatus } from '../../workflows/etcd/etcd.js';
import { colorsFor } from './color.js';
import { oneLine } from './printable.js';

/** The members of etcd as a table, the sick ones marked. */
export function etcdText({ cluster, quorum, members }: EtcdStatus): string {
  const colors = colorsFor(process.stdout);
  const rows = [
    ['member', 'id', 'role', 'version', 'size', 'in use', 'revision', 'term', 'index'],
    ...members.map(row),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  return [
    `${colors('bold', `etcd of ${cluster}`)}  ${quorum ? 'has its quorum' : colors('red', 'has lost its quorum')}`,
    `  ${colors('dim', head)}`,
    ...members.flatMap((member, index) => [
      `${isWell(member) ? colors('green', '✔') : colors('red', '✘')} ${body[index]}`,
      ...troubles(member).map((trouble) => `    ${trouble}`),
    ]),
    '',
  ].join('\n');
}

const row = ({ name, id, learner, status }: Member): readonly string[] => [
  oneLine(name) || 'never started',
  oneLine(id),
  status?.leader ? 'leader' : learner ? 'learner' : 'voter',
  oneLine(status?.version ?? ''),
  status ? megabytes(status.size) : '',
  status ? megabytes(status.sizeInUse) : '',
  `${status?.revision ?? ''}`,
  `${status?.raftTerm ?? ''}`,
  `${status?.raftIndex ?? ''}`,
];

const isWell = (member: Member): boolean => troubles(member).length === 0;

const troubles = ({ status, clientUrls }: Member): readonly string[] =>
  status?.errors.map(oneLine) ?? [
    `does not answer${clientUrls.length > 0 ? ` at ${oneLine(clientUrls.join(', '))}` : ''}`,
  ];

/** `20.5 MB` */
export const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
