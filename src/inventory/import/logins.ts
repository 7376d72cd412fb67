import { defined } from '../../defined.js';
import { note, type Remark, type ToolHost, type ToolSsh, when } from './tool-cluster.js';

/** Tools write the usual port, too. */
export const withoutUsualPort = ({ port, ...ssh }: ToolSsh): ToolSsh =>
  port === 22 ? ssh : { ...ssh, ...defined({ port }) };

/** What all hosts say alike. A host that leaves a setting to ssh's own configuration keeps it open for itself. */
export const sharedSsh = (hosts: readonly ToolHost[]): ToolSsh => {
  const [first = {}, ...others] = remote(hosts);
  const alike = Object.entries(first).filter(([setting, value]) =>
    others.every((ssh) => JSON.stringify(ssh[setting as keyof ToolSsh]) === JSON.stringify(value)),
  );
  return Object.fromEntries(alike);
};

/** What is said of logging in to every host alike. */
export const sharedRemarks = (hosts: readonly ToolHost[]): readonly Remark[] => {
  const [first = [], ...others] = hosts.map(({ remarks }) => remarks.filter(({ path }) => path[0] === 'ssh'));
  return first.filter((remark) => others.every((remarks) => remarks.some(({ text }) => text === remark.text)));
};

/** Where kbs logs in otherwise than the tool does with the same words. */
export const loginRemarks = (tool: string, hosts: readonly ToolHost[]): readonly Remark[] => {
  const logins = remote(hosts);
  const keys = logins.flatMap(({ key, jump }) => [key, typeof jump === 'object' ? jump.key : undefined]);
  return [
    ...when(
      logins.some(({ user }) => user === undefined),
      note(['ssh'], `where no user is named, ${tool} logs in as you, and kbs as root or as ~/.ssh/config says`),
    ),
    ...when(
      keys.some((key) => key !== undefined && !/^[~/]/.test(key)),
      note(['ssh'], 'paths of keys start at the folder of this file'),
    ),
  ];
};

const remote = (hosts: readonly ToolHost[]): readonly ToolSsh[] =>
  hosts.map(({ ssh }) => ssh).filter(({ transport }) => transport !== 'local');
