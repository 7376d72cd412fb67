import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { grantAccess, knownHostsFile, makeOperatorKey, operatorKey, revokeAccess } from '../../src/lab/access.js';
import { labState } from '../../src/lab/overlay.js';
import { specOf } from '../../src/lab/spec.js';
import { accountsOf } from '../../src/lab/users.js';
import { clusterOf } from '../support/cluster.js';

describe('SSH access to a lab', () => {
  let project: string;

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'kbs-access-'));
  });

  afterEach(() => rm(project, { recursive: true }));

  test('knows every host by each of its addresses and names, on each of its ports', async () => {
    const state = labState(project, 'hybrid');
    const key = (await makeOperatorKey(state)).split(' ').slice(0, 2).join(' ');
    const hosts = specOf(clusterOf()).hosts.map((host) => ({
      host: { ...host, ...(host.name === 'edge' ? { sshPort: 2222, sshAddress: 'edge.example.org' } : {}) },
      key,
    }));
    await grantAccess(state, hosts);
    for (const name of [
      '192.168.10.10',
      'worker-rack-00',
      '192.168.20.1',
      '[192.168.20.1]:2222',
      '[edge.example.org]:2222',
    ]) {
      expect([name, knows(knownHostsFile(state), name)]).toEqual([name, true]);
    }
    expect(knows(knownHostsFile(state), '192.168.10.99')).toBe(false);
  });

  test('keeps its key private, and leaves nothing of itself behind', async () => {
    const state = labState(project, 'hybrid');
    await makeOperatorKey(state);
    expect([(await stat(state)).mode & 0o777, (await stat(operatorKey(state))).mode & 0o777]).toEqual([0o700, 0o600]);
    await grantAccess(state, []);
    await revokeAccess(state);
    expect(existsSync(join(project, '.kbs'))).toBe(false);
  });

  test('leaves the keyring beside it', async () => {
    const state = labState(project, 'hybrid');
    await makeOperatorKey(state);
    await mkdir(join(project, '.kbs/hybrid/keyring'));
    await revokeAccess(state);
    expect([existsSync(state), existsSync(join(project, '.kbs/hybrid/keyring'))]).toEqual([false, true]);
  });

  test.each([
    ['root', ['root', 'ops', 'nosudo'], ['ops']],
    ['ops', ['root', 'ops', 'nosudo'], ['ops']],
    ['admin', ['root', 'ops', 'nosudo', 'admin'], ['ops', 'admin']],
    ['nosudo', ['root', 'ops', 'nosudo'], ['ops']],
  ])('has the people of an inventory that logs in as %s', async (user, all, sudoers) => {
    await mkdir(join(project, 'etc'));
    for (const name of ['passwd', 'group', 'shadow'])
      await writeFile(join(project, 'etc', name), 'root:x:0:0::/root:/bin/sh\n');
    const accounts = await accountsOf(project, user);
    expect(accounts.all.map(({ name }) => name)).toEqual(all);
    expect(accounts.passwd.trim().split('\n')).toHaveLength(all.length);
    expect(accounts.sudoers.match(/^\w+/gm)).toEqual(sudoers);
    expect(new Set(accounts.all.map(({ uid }) => uid)).size).toBe(all.length);
  });
});

/** ssh-keygen(1), -F: finds a host in a known_hosts file as ssh does. */
const knows = (file: string, name: string): boolean => spawnSync('ssh-keygen', ['-F', name, '-f', file]).status === 0;
