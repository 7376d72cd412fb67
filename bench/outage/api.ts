import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { LoadedCluster } from '../../src/workflows/load-cluster.js';

/** The API server as its administrator reaches it from outside the cluster, over a new connection for every request. */
export interface Api {
  /** Gives the body; throws where the answer is no 2xx, or is not whole in time. */
  ask(method: 'GET' | 'PATCH' | 'DELETE', path: string, options?: AskOptions): Promise<string>;
}

interface AskOptions {
  readonly body?: unknown;
  /** Milliseconds; a minute where absent. */
  readonly limit?: number;
  /** Another address than the endpoint's: one API server of several. */
  readonly address?: string;
}

/** Opens the endpoint with the administrator's kubeconfig, which lies beside the inventory. Sends nothing yet. */
export const openApi = ({ cluster, state }: LoadedCluster): Api => {
  const { server, ...identity } = credentialsIn(join(state, 'kubeconfig'));
  const { hostname, port } = new URL(server);
  const endpoint = cluster.endpoint.vip ?? cluster.endpoint.address ?? hostname;
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0, ...identity });
  return {
    ask: (method, path, { body, limit = 60_000, address = endpoint } = {}) =>
      new Promise((resolve, reject) => {
        const asked = request(
          {
            agent,
            method,
            path,
            host: address,
            port: address === endpoint ? port : apiServerPort,
            // The certificate holds every name; an address is no name that TLS would send.
            ...(isIP(hostname) === 0 && { servername: hostname }),
            headers: { host: hostname, ...(body !== undefined && { 'content-type': typeOf(method) }) },
            signal: AbortSignal.timeout(limit),
          },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (piece: string) => {
              text += piece;
            });
            answer.on('error', (error) => reject(reasonOf(error, limit)));
            answer.on('end', () => {
              const { statusCode = 0 } = answer;
              if (statusCode >= 200 && statusCode < 300) resolve(text);
              else reject(new Error(`HTTP ${statusCode}: ${text.slice(0, 200).trim()}`));
            });
          },
        );
        asked.on('error', (error) => reject(reasonOf(error, limit)));
        asked.end(body === undefined ? undefined : JSON.stringify(body));
      }),
  };
};

/** Makes or changes an object as kubectl would with --server-side; JSON is YAML. */
export const applyObject = (api: Api, path: string, body: object): Promise<string> =>
  api.ask('PATCH', `${path}?fieldManager=kbs-outage&force=true`, { body });

const apiServerPort = 6443;

const typeOf = (method: string): string => (method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json');

const reasonOf = (error: Error, limit: number): Error =>
  error.name === 'AbortError' || error.name === 'TimeoutError' ? new Error(`no answer within ${limit} ms`) : error;

const credentialsIn = (
  file: string,
): { readonly server: string; readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } => {
  // kbs wrote it: one cluster and one user.
  const { clusters, users } = parse(readFileSync(file, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const bytes = (data: string | undefined): Buffer => Buffer.from(data ?? '', 'base64');
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  return {
    server: cluster.server ?? '',
    ca: bytes(cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  };
};
