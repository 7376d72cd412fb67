import { knownHostsFile, operatorKey } from './access.js';
import { findHosts } from './find.js';
import { type Places, placesOf } from './paths.js';
import type { HostSpec } from './spec.js';

/** The command that logs in to a lab host (`HOST` or `LAB/HOST`), as argv; what follows it is run there. */
export const labSsh = async (name: string, user = 'root', places: Places = placesOf()): Promise<readonly string[]> => {
  const [found] = await findHosts(places, name);
  if (found === undefined) return [];
  return sshCommand(found.state, found.host, user);
};

export const sshCommand = (state: string, host: HostSpec, user: string): readonly string[] => [
  'ssh',
  '-F',
  'none',
  '-i',
  operatorKey(state),
  ...[
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${knownHostsFile(state)}`,
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
  ].flatMap((option) => ['-o', option]),
  '-p',
  String(host.sshPort),
  `${user}@${host.address}`,
];
