import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../defined.js';
import { listenForTunnel, openTunnel } from '../hosts/tunnel.js';
import { apiServerPort, controlPlanes } from '../inventory/cluster.js';
import { kubeconfigOf } from '../pki/kubeconfig.js';
import { makePrivateFolder } from '../private-folder.js';
import { administratorEntries, kubeconfigPath, writePrivately } from './kubeconfig.js';
import { type LoadedCluster, loadCluster } from './load-cluster.js';

export interface ProxyOptions {
  /** 0: a free one. */
  readonly port: number;
  readonly acceptNewHostKeys: boolean;
  readonly say: (text: string) => void;
  /** Called once, when requests are served. */
  readonly ready: (open: OpenProxy) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Where the API is to be found while the proxy runs. */
export interface OpenProxy {
  readonly server: string;
  /** The name that the API server's certificate is checked for. */
  readonly tlsServerName: string;
  /** The administrator's, for this address; absent where this machine has none. */
  readonly kubeconfig?: string;
}

/**
 * Serves the API on a port of this machine until the signal comes: each connection goes over SSH to the API server of a
 * control plane, encrypted from end to end. A client must show its own credentials, as ever, and checks the API server's
 * certificate against the cluster's CA.
 */
export const proxy = async (file: string, { signal, ...options }: ProxyOptions): Promise<OpenProxy> => {
  const loaded = await loadCluster(file);
  const { acceptNewHostKeys, say } = options;
  const ends = controlPlanes(loaded.cluster).map((host) => ({ host, address: host.address, port: apiServerPort }));
  const tunnel = openTunnel(ends, { acceptNewHostKeys, tell: say });
  try {
    // What cannot be reached at all is told at once.
    (await tunnel.dial()).destroy();
    const listener = await listenForTunnel(options.port, () => tunnel.dial(), say);
    try {
      return await serve(loaded, listener.port, options.ready, signal);
    } finally {
      await listener.close();
    }
  } finally {
    await tunnel.close();
  }
};

const serve = async (
  loaded: LoadedCluster,
  port: number,
  ready: ProxyOptions['ready'],
  signal: AbortSignal,
): Promise<OpenProxy> => {
  const server = `https://127.0.0.1:${port}`;
  const kubeconfig = await writeKubeconfig(loaded, server, port);
  const open = { server, tlsServerName, ...defined({ kubeconfig }) };
  try {
    ready(open);
    if (!signal.aborted) await once(signal, 'abort');
    return open;
  } finally {
    if (kubeconfig !== undefined) await rm(kubeconfig, { force: true });
  }
};

/** In the certificate of every API server. */
const tlsServerName = 'kubernetes.default.svc';

/** The administrator's kubeconfig for the proxy, as a file that is there as long as the proxy runs. */
const writeKubeconfig = async (loaded: LoadedCluster, server: string, port: number): Promise<string | undefined> => {
  if (!existsSync(kubeconfigPath(loaded))) return undefined;
  const { name } = loaded.cluster;
  const entries = await administratorEntries(loaded, name);
  const path = join(loaded.state, `proxy-${port}.kubeconfig`);
  makePrivateFolder(loaded.state);
  const cluster = { ...entries.cluster.cluster, server, 'tls-server-name': tlsServerName };
  await writePrivately(path, kubeconfigOf({ ...entries, cluster: { name, cluster } }));
  return path;
};
