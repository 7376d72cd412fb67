import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { quote } from '../hosts/shell.js';
import { enter, hierarchies, killGroup, processesIn } from './cgroups.js';
import { makeFile } from './files.js';
import { requireStanding } from './find.js';
import { labFolder, labGroup, type Places, placesOf } from './paths.js';

/** What plays the kubelets of hollow nodes: files on this machine, and kwok's stages as text. */
export interface HollowNodes {
  readonly kwok: string;
  readonly stages: string;
  readonly kubeconfig: string;
  /** The API server's URL: this machine may not know the name in the kubeconfig. */
  readonly server: string;
  /** `KEY=VALUE`: the nodes that it plays. */
  readonly label: string;
}

/**
 * Plays the kubelets of a lab's hollow nodes, in one process of this machine that ends with the lab: each Node keeps its
 * lease and is Ready, and its pods are said to run. Where the process runs already it is left alone.
 */
export const startHollowNodes = async (
  lab: string,
  { kwok, stages, kubeconfig, server, label }: HollowNodes,
  places: Places = placesOf(),
): Promise<void> => {
  await requireStanding(places, lab);
  const tree = await hierarchies();
  const group = hollowGroup(lab);
  if ((await processesIn(tree, group)).length > 0) return;
  const config = join(labFolder(places, lab), 'hollow-stages.yaml');
  await makeFile(config, stages);
  const log = await open(hollowLog(lab, places), 'a');
  const words = [
    ...[kwok, '--kubeconfig', kubeconfig, '--master', server, '--config', config],
    ...['--manage-nodes-with-label-selector', label],
    // No real pod has such an address (RFC 6598), and no host has a route to it.
    ...['--cidr', '100.64.0.1/10', '--node-lease-duration-seconds', '40'],
  ];
  const script = `${enter(tree, group)}exec ${words.map(quote).join(' ')}`;
  const child = spawn('sh', ['-euc', script], { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
  child.unref();
  await log.close();
};

export const stopHollowNodes = async (lab: string): Promise<void> => killGroup(await hierarchies(), hollowGroup(lab));

/** What the process says, from its first start on. */
export const hollowLog = (lab: string, places: Places = placesOf()): string =>
  join(labFolder(places, lab), 'hollow.log');

const hollowGroup = (lab: string): string => `${labGroup(lab)}/hollow`;
