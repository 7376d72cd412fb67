import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { userEntries } from '../../src/pki/kubeconfig.js';
import { Secret } from '../../src/secret.js';
import { writeExample } from '../../src/workflows/example-inventory.js';
import { addToKubeconfig } from '../../src/workflows/kubeconfig.js';
import { writeRendering } from '../../src/workflows/render.js';
import { holdingLock } from '../../src/workflows/run/lock.js';
import { readPlan, savePlan } from '../../src/workflows/run/saved-plan.js';
import { topology } from '../../src/workflows/topology.js';
import { withWriteErrors } from '../../src/workflows/write-error.js';
import { clusterOf } from '../support/cluster.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-writing-'));
afterAll(() => rm(folder, { recursive: true }));

/** Not even root makes a folder in /sys. */
const nowhere = '/sys/kbs-nowhere';
const inventory = fileURLToPath(new URL('../../inventories/single.yaml', import.meta.url));
const cluster = clusterOf();
const lock = (directory: string, work: () => Promise<void>): Promise<void> =>
  holdingLock({ directory, command: 'apply', say: () => {} }, work);

const merge = (path: string): Promise<void> =>
  addToKubeconfig(path, userEntries(cluster, { name: 'anna', token: new Secret('token'), authority: 'CA' }));

describe('where nothing can be written', () => {
  test.each<[string, string, (path: string) => Promise<unknown>]>([
    ['a picture', 'net.svg', (path) => topology(inventory, 'svg', path)],
    ['a plan', 'plan.json', (path) => savePlan(path, { hosts: [] } as never)],
    ['a kubeconfig', '.kube/config', merge],
    ['the example', 'kbs.yaml', writeExample],
    ['a rendering', 'out', (path) => writeRendering(new Map([['c0/host.yaml', '']]), path)],
    ['the state of a cluster', '.kbs/hybrid', (path) => lock(path, async () => {})],
  ])('%s is refused, with its path and what is in the way', async (_, name, write) => {
    const path = join(nowhere, name);
    await expect(write(path)).rejects.toMatchObject({
      code: 'usage',
      message: `${path} cannot be written`,
      why: [expect.stringMatching(/^E[A-Z]+: /)],
      next: expect.any(String),
    });
  });

  it('a rendering is refused where a file is', async () => {
    const path = join(folder, 'afile');
    await writeFile(path, 'mine');
    await expect(writeRendering(new Map([['c0/host.yaml', '']]), path)).rejects.toMatchObject({
      code: 'usage',
      why: [expect.stringContaining('ENOTDIR')],
    });
  });
});

it('a mistake of ours stays one', async () => {
  const bug = new TypeError('undefined is not a function');
  await expect(withWriteErrors('file', 'next', () => Promise.reject(bug))).rejects.toBe(bug);
});

it('what fails under a lock is not about the lock', async () => {
  const gone = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' });
  await expect(lock(join(folder, 'state'), () => Promise.reject(gone))).rejects.toBe(gone);
});

test.each(['', 'null', '{}', '{"format":"kbs/plan/v0"}'])('a file that holds %j is no saved plan', async (text) => {
  const path = join(folder, 'plan.json');
  await writeFile(path, text);
  await expect(readPlan(path)).rejects.toMatchObject({ code: 'usage', message: `${path} is not a saved plan` });
});
