import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { labSsh } from '../../../src/lab/index.js';
import type { Project } from './project.js';

/** Runs kubectl as administrator on the control plane; `input` is its stdin. */
export const kubectl = (project: Project, words: string, input = ''): Promise<string> =>
  project.on(
    'controller-00',
    `kubectl --kubeconfig /etc/kubernetes/admin.conf ${words} <<'END_OF_INPUT'\n${input}\nEND_OF_INPUT`,
  );

/** How a kubectl ended that a person ran. */
export interface KubectlEnd {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Brings the cluster's own kubectl here, from a control plane, for people with a kubeconfig in the project's folder. */
export const kubectlHere = async (
  project: Project,
  host = 'controller-00',
): Promise<(kubeconfig: string, words: string) => Promise<KubectlEnd>> => {
  const program = join(project.folder, 'kubectl');
  const [ssh = '', ...args] = await labSsh(`${project.name}/${host}`);
  const reading = execa(ssh, [...args, 'cat /usr/local/bin/kubectl'], { buffer: false, encoding: 'buffer' });
  await pipeline(reading.stdout, createWriteStream(program));
  await reading;
  await chmod(program, 0o755);
  return async (kubeconfig, words) => {
    const cache = ['--cache-dir', join(project.folder, 'kubectl-cache')];
    const { exitCode, stdout, stderr } = await execa(
      program,
      [...cache, '--kubeconfig', kubeconfig, ...words.split(' ')],
      {
        cwd: project.folder,
        reject: false,
      },
    );
    return { code: exitCode, stdout, stderr };
  };
};

/** Names of nodes that are Ready. */
export const readyNodes = async (project: Project): Promise<readonly string[]> => {
  const ready = `{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}`;
  const lines = (await kubectl(project, `get nodes -o jsonpath='${ready}'`)).split('\n');
  return lines
    .filter((line) => line.endsWith('=True'))
    .map((line) => line.slice(0, -'=True'.length))
    .toSorted();
};

/** Every container with its id and the time it started: equal before and after means untouched. Probes come and go. */
export const containers = async (project: Project): Promise<readonly string[]> => {
  const { items } = JSON.parse(await kubectl(project, 'get pods -A -o json')) as { items: readonly Pod[] };
  return items
    .filter(({ metadata }) => !metadata.namespace.startsWith('kbs-verify-'))
    .flatMap(({ metadata, status }) =>
      (status.containerStatuses ?? []).map(
        ({ name, containerID, state }) => `${metadata.name} ${name} ${containerID} ${state.running?.startedAt}`,
      ),
    )
    .toSorted();
};

/** The part of a Pod that is read here. */
interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: {
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly containerID: string;
      readonly state: { readonly running?: { readonly startedAt: string } };
    }[];
  };
}
