import { basename, dirname, relative } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultBundle } from '../../src/artifacts/bundle.js';
import { footprintOf } from './support/footprint.js';
import { root } from './support/kbs.js';
import { readyNodes } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { sendFiles } from './support/send-files.js';

/** The machines; what is tested has no inventory but the one that it writes itself, on the controller. */
const machines = `apiVersion: kbs/v1
cluster: e2e-alone
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 10.83.10.0/24, gateway: 10.83.10.1 }
hosts:
  controller-00: { address: 10.83.10.10, roles: [control-plane] }
  worker-00: { address: 10.83.10.20, roles: [worker] }
`;

describe('kbs on the controller itself, without an inventory', () => {
  let project: Project;
  let bare: readonly string[];
  const footprints = () => Promise.all(['controller-00', 'worker-00'].map((host) => footprintOf(project, host)));
  /** Runs kbs there, and gives its stdout. Another exit status than 0 throws. */
  const there = (words: string) =>
    project.on('controller-00', `mkdir -p ~/site; cd ~/site; /opt/kbs/bin/run.js ${words}`);

  beforeAll(async () => {
    project = await makeProject('e2e-alone', machines);
    await project.kbs('lab up');
    await install(project);
    bare = await footprints();
  });
  afterAll(() => project?.remove());

  test('finds out what machine it is on, writes the inventory, and makes it a cluster', async () => {
    await there('init --yes');
    expect(parse(await project.on('controller-00', 'cat ~/site/kbs.yaml'))).toEqual({
      apiVersion: 'kbs/v1',
      cluster: 'controller-00',
      kubernetes: { version: '1.36.3' },
      network: { segments: { lan: { cidr: '10.83.10.0/24', gateway: '10.83.10.1' } } },
      hosts: {
        'controller-00': { address: '10.83.10.10', roles: ['control-plane', 'worker'], ssh: { transport: 'local' } },
      },
    });
    expect(await readyNodes(project)).toEqual(['controller-00']);
    expect(await there('plan')).toBe('nothing to change: 1 host is as the inventory says');
    await there('verify');
  });

  test('takes in a worker over SSH', async () => {
    await project.on(
      'controller-00',
      `umask 077; mkdir -p ~/.ssh; cat > ~/.ssh/id_ed25519 <<'KEY'\n${await keyOf(project)}\nKEY`,
    );
    await there('join worker-00=root@10.83.10.20 --yes --accept-new-host-keys');
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    expect(await there('plan')).toBe('nothing to change: 2 hosts are as the inventory says');
    await there('verify');
  });

  test('ends it, and leaves this machine and the worker as they were', async () => {
    await there('reset --yes');
    expect(await footprints()).toEqual(bare);
  });
});

/** Copies Node, kbs with its dependencies, and a bundle to the controller as a tar, as an operator without a network would. */
const install = async (project: Project): Promise<void> => {
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, reject: false });
  const packages = stdout.split('\n').map((path) => relative(root, path));
  const own = ['bin', 'dist', 'inventories', 'package.json', 'oclif.manifest.json'];
  const dependencies = packages.filter((path) => path.startsWith('node_modules/'));
  await sendFiles(project, 'controller-00', { folder: root, names: [...own, ...dependencies], target: '/opt/kbs' });
  await sendFiles(project, 'controller-00', {
    folder: defaultBundle('1.36.3'),
    names: ['.'],
    target: '/root/.cache/kbs/bundles/1.36.3',
  });
  await sendFiles(project, 'controller-00', {
    folder: dirname(process.execPath),
    names: [basename(process.execPath)],
    target: '/usr/local/bin',
  });
};

const keyOf = async (project: Project): Promise<string> => (await execa('cat', [`${project.labFiles}/key`])).stdout;
