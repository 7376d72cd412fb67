import type { Project } from './project.js';

/** Runs kubectl as administrator on the control plane; `input` is its stdin. */
export const kubectl = (project: Project, words: string, input = ''): Promise<string> =>
  project.on(
    'controller-00',
    `kubectl --kubeconfig /etc/kubernetes/admin.conf ${words} <<'END_OF_INPUT'\n${input}\nEND_OF_INPUT`,
  );

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
