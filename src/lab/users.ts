import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from './files.js';

/** The accounts of a lab host: root, `ops` with sudo without a password, `nosudo` without sudo, and the inventory's user. */
export interface Accounts {
  readonly all: readonly Account[];
  /** The texts of /etc/passwd, /etc/group, /etc/shadow and of a file below /etc/sudoers.d. */
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
  readonly sudoers: string;
}

export interface Account extends Owner {
  readonly name: string;
  readonly home: string;
}

/** The image's accounts and these besides; none has a password. */
export const accountsOf = async (image: string, inventoryUser: string): Promise<Accounts> => {
  const read = (name: string) => readFile(join(image, 'etc', name), 'utf8');
  const names = [...new Set(['ops', 'nosudo', inventoryUser])].filter((name) => name !== 'root');
  const people = names.map((name, index) => ({ name, home: `/home/${name}`, uid: 1000 + index, gid: 1000 + index }));
  const line = (text: (person: Account) => string) => people.map((person) => `${text(person)}\n`).join('');
  return {
    all: [{ name: 'root', home: '/root', uid: 0, gid: 0 }, ...people],
    passwd: (await read('passwd')) + line(({ name, home, uid, gid }) => `${name}:x:${uid}:${gid}::${home}:/bin/bash`),
    group: (await read('group')) + line(({ name, gid }) => `${name}:x:${gid}:`),
    shadow: (await read('shadow')) + line(({ name }) => `${name}:*:19000:0:99999:7:::`),
    sudoers: people
      .filter(({ name }) => name !== 'nosudo')
      .map(({ name }) => `${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`)
      .join(''),
  };
};
