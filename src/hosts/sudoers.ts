import { reader } from './script/frame.js';

/**
 * The one command line that kbs runs by sudo, as the lines of a sudoers file that name it KBS (sudoers(5)). Nothing is
 * asked of a terminal, and what comes on stdin is not logged: it holds keys. A user may run it by `sudoRule`.
 */
export const sudoAlias: readonly string[] = [
  `Cmnd_Alias KBS = /bin/sh -c ${asArgument(reader)}`,
  'Defaults!KBS !requiretty, !log_input',
];

/** The line that lets a user run it, without a password. */
export const sudoRule = (user: string): string => `${asUser(user)} ALL = (root) NOPASSWD: KBS`;

/** Arguments are compared as patterns of fnmatch(3), and some characters end them in a sudoers file. */
function asArgument(text: string): string {
  return text.replace(/[\\*?[\]!^,:=#]/g, '\\$&');
}

const asUser = (user: string): string => user.replace(/[^A-Za-z0-9_.-]/g, '\\$&');
