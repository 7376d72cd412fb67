import { isWorker, nodes } from '../../src/inventory/cluster.js';
import type { LoadedCluster } from '../../src/workflows/load-cluster.js';
import { onLab } from '../on-lab.js';
import { type Api, openApi } from './api.js';

/** A cluster in its lab, as faults and probers see it. */
export interface Site extends LoadedCluster {
  readonly api: Api;
  /** The node that a pod calls from, and the node that answers: in another segment where there are two. */
  readonly caller: string;
  readonly answerer: string;
  /** Runs a script on a host as root and gives what it prints; a script that fails throws. */
  on(host: string, script: string): Promise<string>;
}

export const siteOf = (opened: LoadedCluster): Site => {
  const { cluster } = opened;
  const places = nodes(cluster).toSorted((a, b) => Number(isWorker(b)) - Number(isWorker(a)));
  const [caller] = places;
  if (caller === undefined) throw new Error('the cluster has no node');
  const answerer =
    places.find(({ segment }) => segment !== caller.segment) ?? places.find((node) => node !== caller) ?? caller;
  return {
    ...opened,
    api: openApi(opened),
    caller: caller.name,
    answerer: answerer.name,
    on: (host, script) => onLab(`${cluster.name}/${host}`, script),
  };
};
