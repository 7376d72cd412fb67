import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { parse } from 'yaml';
import { type KubeconfigEntries, userEntries } from '../../src/pki/kubeconfig.js';
import { placeholderCredentials } from '../../src/pki/placeholder.js';
import { Secret } from '../../src/secret.js';
import {
  addToKubeconfig,
  administratorEntries,
  keepKubeconfig,
  ownKubeconfig,
} from '../../src/workflows/kubeconfig.js';
import { clusterOf } from '../support/cluster.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-kubeconfig-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const cluster = clusterOf();
const entries = (authority = 'CA'): KubeconfigEntries =>
  userEntries(cluster, { name: 'anna', token: new Secret('token'), authority });

describe("the operator's own kubeconfig", () => {
  test.each([
    ['', join(homedir(), '.kube/config')],
    ['/a', '/a'],
    ['/a:/b', '/a'],
    [':/b', '/b'],
  ])('with KUBECONFIG=%j is %s', (value, path) => {
    vi.stubEnv('KUBECONFIG', value);
    expect(ownKubeconfig()).toBe(path);
  });

  it('is made with its folder, for its owner only', async () => {
    const path = join(folder, '.kube/config');
    await addToKubeconfig(path, entries());
    expect([statSync(path).mode & 0o777, statSync(join(folder, '.kube')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(parse(readFileSync(path, 'utf8'))['current-context']).toBe('anna@hybrid');
  });

  it('behind a link is changed where it lies', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real/config'), '# mine\n', { mode: 0o644 });
    symlinkSync(join(folder, 'real/config'), join(folder, 'config'));
    await addToKubeconfig(join(folder, 'config'), entries());
    expect(lstatSync(join(folder, 'config')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'real/config'), 'utf8')).toMatch(/^# mine\n/);
    expect(statSync(join(folder, 'real/config')).mode & 0o777).toBe(0o600);
  });

  it('stays as it is where it has entries of another cluster under these names', async () => {
    const path = join(folder, 'config');
    await addToKubeconfig(path, entries('another CA'));
    const before = readFileSync(path, 'utf8');
    await expect(addToKubeconfig(path, entries())).rejects.toMatchObject({
      code: 'refused',
      message: `${path} has entries of another cluster under the names of hybrid`,
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('that cannot be read is not replaced', async () => {
    const path = join(folder, 'config');
    mkdirSync(path);
    await expect(addToKubeconfig(path, entries())).rejects.toMatchObject({ message: `${path} cannot be read` });
  });
});

test("the administrator's entries have names that are unique among clusters", async () => {
  const loaded = { inventory: join(folder, 'kbs.yaml'), cluster, state: folder, text: '' };
  await keepKubeconfig(loaded, placeholderCredentials(cluster));
  for (const name of ['hybrid', 'office']) {
    const { cluster, user, context } = await administratorEntries(loaded, name);
    expect([cluster.name, user.name, context.name, context.context]).toEqual([
      name,
      `${name}-admin`,
      name,
      { cluster: name, user: `${name}-admin` },
    ]);
  }
});
