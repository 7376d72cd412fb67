import { knownAddons, webInterfaceOf } from '../../addons/index.js';
import { Failure } from '../../failure.js';
import type { RunOptions } from '../../hosts/host.js';
import { sh } from '../../hosts/shell.js';
import type { Addon } from '../../inventory/cluster.js';
import { selectApiHost } from '../../kubernetes/api-host.js';
import { type IssuedToken, tokenOf } from '../../kubernetes/users.js';
import type { LoadedCluster } from '../load-cluster.js';
import { type OpenPool, withPool } from '../run/pool.js';
import { noSuchAddon } from './list.js';

/** How people reach an add-on. */
export interface AddonAddress {
  readonly name: string;
  readonly url: string;
  /** The command that must run meanwhile for `url` to lead there; absent where an Ingress does. */
  readonly forward?: string;
  /** The ServiceAccount whose token may look; absent where the add-on asks for no token of the cluster. */
  readonly viewer?: { readonly namespace: string; readonly name: string };
}

/** Throws where the inventory has no such add-on, or where it has no web interface. No host is contacted. */
export const addressOf = (loaded: LoadedCluster, name: string): AddonAddress => {
  const addon = loaded.cluster.addons?.find((each) => each.name === name);
  if (addon === undefined) throw noSuchAddon(loaded, name);
  const opened = webInterfaceOf(addon);
  if (opened === undefined) throw noWebInterface(addon);
  const { namespace, web } = opened;
  const host = hostOf(addon);
  return {
    name,
    ...(host === undefined
      ? {
          url: 'http://127.0.0.1:8080',
          forward: `kubectl -n ${namespace} port-forward service/${web.service} 8080:${web.port}`,
        }
      : { url: `https://${host}` }),
    ...(web.viewer === undefined ? {} : { viewer: { namespace, name: web.viewer } }),
  };
};

const noWebInterface = ({ is, name }: Addon): Failure =>
  is === 'monitoring'
    ? new Failure('usage', 'Grafana is not installed: this inventory takes monitoring without it', {
        next: 'give monitoring images of registries and leave grafana.enabled as it is; Prometheus itself: see docs/monitoring.md',
      })
    : new Failure('usage', `${name} has no web interface that kbs knows`, {
        next: `these have one: ${knownAddons.flatMap((known) => (known.web ? [known.name] : [])).join(', ')}`,
      });

const hostOf = (addon: Addon): string | undefined => ('host' in addon ? addon.host : undefined);

export interface TokenOptions {
  readonly seconds: number;
  readonly acceptNewHostKeys: boolean;
  readonly limits: Pick<RunOptions, 'signal' | 'timeout'>;
  readonly openPool?: OpenPool;
}

/** A token of an add-on's own ServiceAccount, which may look. Changes nothing. Throws `refused` where there is none. */
export const viewerToken = (
  { cluster }: LoadedCluster,
  viewer: { readonly namespace: string; readonly name: string },
  { seconds, acceptNewHostKeys, limits, openPool }: TokenOptions,
): Promise<IssuedToken> =>
  withPool(
    acceptNewHostKeys,
    async (pool) =>
      tokenOf(
        viewer,
        { lifetime: sh`${`${seconds}s`}`, next: 'see whether the add-on is installed: kbs addons status' },
        await selectApiHost(cluster, pool, limits),
        limits,
      ),
    openPool,
  );
