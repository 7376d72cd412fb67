import type { Right, User } from '../../kubernetes/users.js';
import { colorsFor } from './color.js';
import { oneLine } from './printable.js';

/** People with access as a table. `now` is in seconds since the epoch, by the clock of the cluster. */
export function usersText({
  cluster,
  now,
  users,
}: {
  readonly cluster: string;
  readonly now: number;
  readonly users: readonly User[];
}): string {
  if (users.length === 0) return `kbs has given access to ${cluster} to none but its administrator`;
  const colors = colorsFor(process.stdout);
  const rows = [['name', 'may', 'groups', 'since', 'until'], ...users.map((user) => row(user, now))].map((cells) =>
    cells.map(oneLine),
  );
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const [head = '', ...body] = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [colors('dim', head), ...body, ''].join('\n');
}

const row = ({ name, rights, groups, created, expires }: User, now: number): readonly string[] => [
  name,
  rights.length === 0 ? 'nothing' : rights.map(mayText).join(', '),
  groups.join(', ') || '-',
  created ?? 'the ServiceAccount is gone',
  expires === undefined ? 'no token yet' : `${expires}${Date.parse(expires) <= now * 1000 ? ' (expired)' : ''}`,
];

const mayText = ({ role, namespace, binding, own }: Right): string =>
  `${role} ${namespace === undefined ? 'everywhere' : `in ${namespace}`}${own ? '' : ` (by ${binding}, not kbs)`}`;
