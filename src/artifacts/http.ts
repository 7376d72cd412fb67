import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { globalAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvHttpProxyAgent } from 'undici';

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request, or its answer, when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface Opened {
  /** Where the answer came from, after redirects, without a login and a query. */
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The bytes as they arrive; throws an Error where they break off. It must be read or dumped. */
  readonly body: AsyncIterable<Uint8Array> & { dump(): Promise<void> };
}

/**
 * Opens an https address, with Node's own trust (NODE_EXTRA_CA_CERTS) and the proxy of HTTPS_PROXY, less what NO_PROXY
 * names. Redirects are followed to https alone; what identifies the caller is for the first host only. Throws an Error
 * that says why there is no answer; a status that is no success is an answer.
 */
export const openUrl = async (url: string, { headers = {}, signal }: GetOptions = {}): Promise<Opened> => {
  // Most commands download nothing.
  const undici = await import('undici');
  let at = new URL(url);
  // Without a word about it, a server may compress what it sends.
  let sent: Readonly<Record<string, string>> = { 'user-agent': 'kbs', 'accept-encoding': 'identity', ...headers };
  // undici hears of it once it is connected, and not before.
  const ending = signal === undefined ? undefined : ofItsOwn(signal);
  ending?.addEventListener('abort', disconnect);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    if (at.protocol !== 'https:') throw new Refused(`${url} leads to ${withoutSecrets(at)}, which is not https`);
    const answer = await undici
      .request(at, {
        headers: sent,
        dispatcher: dispatcher(undici),
        headersTimeout: patience,
        bodyTimeout: patience,
        ...(ending === undefined ? {} : { signal: ending }),
      })
      .catch((error: unknown) => {
        const Kind = isFinal(error) ? Refused : Error;
        throw new Kind(`${withoutSecrets(at)}: ${reasonOf(error)}`, { cause: error });
      });
    const { location } = answer.headers;
    if (!redirectCodes.has(answer.statusCode) || typeof location !== 'string') {
      return { url: withoutSecrets(at), status: answer.statusCode, headers: answer.headers, body: answer.body };
    }
    await answer.body.dump();
    if (!URL.canParse(location, at.href)) throw new Refused(`${withoutSecrets(at)} redirects to what is no address`);
    const next = new URL(location, at);
    if (next.host !== at.host) sent = withoutCredentials(sent);
    at = next;
  }
  throw new Refused(`${url} redirects more than ${mostRedirects} times`);
};

/** Another try would end the same way. */
export class Refused extends Error {}

export interface Answer extends Pick<Opened, 'url' | 'status' | 'headers'> {
  readonly body: Buffer;
}

/**
 * The whole answer in memory, as `openUrl` gets it; where a server is busy or breaks off, after some tries. `most`: bytes;
 * an answer with more is an Error.
 */
export const getUrl = async (url: string, options: GetOptions & { readonly most: number }): Promise<Answer> => {
  for (let failures = 1; ; failures++) {
    const isLast = failures === mostFailures;
    try {
      const answer = await getOnce(url, options);
      if (isLast || !isBusy(answer.status)) return answer;
    } catch (error) {
      if (isLast || error instanceof Refused || options.signal?.aborted) throw error;
    }
    await pauseAfter(failures, options.signal);
  }
};

/** Tries one after the other that bring nothing. */
export const mostFailures = 4;

/** Before another try: half a second, doubled with every failure. It ends with an Error when `signal` aborts. */
export const pauseAfter = (failures: number, signal?: AbortSignal): Promise<void> =>
  sleep(2 ** failures * 250, undefined, signal === undefined ? {} : { signal: ofItsOwn(signal) });

/** Whether a server may answer otherwise in a moment. */
export const isBusy = (status: number): boolean => status >= 500 || status === 429;

const getOnce = async (url: string, options: GetOptions & { readonly most: number }): Promise<Answer> => {
  const { body, ...answer } = await openUrl(url, options);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body) {
      size += piece.length;
      if (size > options.most) throw new Refused(`the answer has more than ${options.most} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    const Kind = error instanceof Refused ? Refused : Error;
    throw new Kind(`${answer.url}: ${reasonOf(error)}`, { cause: error });
  }
  return { ...answer, body: Buffer.concat(pieces) };
};

/** Aborts with another one: Node warns of more than ten listeners on one. */
const ofItsOwn = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal]);

/** Why there is no answer, or no whole one, in words. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // A connection that is refused at each of several addresses has a code, and no message.
  const { code } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : reasons[code];
  if (known !== undefined) return known;
  const byProxy = /^Proxy response \((\d+)\)/.exec(error.message)?.[1];
  if (byProxy === '407') return 'the proxy of HTTPS_PROXY wants a login (407): http://USER:PASSWORD@HOST:PORT';
  if (byProxy !== undefined) return `the proxy of HTTPS_PROXY answers ${byProxy}`;
  return error.message || code || error.name;
};

const mostRedirects = 5;
const redirectCodes = new Set([301, 302, 303, 307, 308]);

/** Milliseconds that a server may be silent. */
const patience = 30_000;

const silent = `no answer in ${patience / 1000} seconds`;
const reasons: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: silent,
  UND_ERR_BODY_TIMEOUT: silent,
  UND_ERR_CONNECT_TIMEOUT: 'no connection in 10 seconds',
  UND_ERR_SOCKET: 'the answer broke off',
};

/** What a certificate or a proxy says stays. */
const isFinal = (error: unknown): boolean =>
  error instanceof Error &&
  /CERT|certificate|Proxy response \(4/.test(`${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`);

/** An address without what lets its reader in: a login, and a query, by which redirects sign addresses of storage. */
const withoutSecrets = (url: URL): string => {
  const shown = new URL(url);
  for (const part of ['username', 'password', 'search', 'hash'] as const) shown[part] = '';
  return shown.href;
};

const withoutCredentials = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));

/**
 * The PEM certificates of the authorities that this process trusts besides Node's own: of the file that NODE_EXTRA_CA_CERTS
 * names. Undefined where there is none.
 */
export const extraAuthorities = async (): Promise<string | undefined> => {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (!file) return undefined;
  const text = await readFile(file, 'utf8').catch(() => '');
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.length === 0 ? undefined : `${found.join('\n')}\n`;
};

/** One set of connections for as long as the process trusts and asks the same. */
const dispatcher = (undici: typeof import('undici')): EnvHttpProxyAgent => {
  const { ca } = globalAgent.options;
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const settings = JSON.stringify([String(ca), HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy]);
  if (kept?.settings !== settings) {
    const trust = ca === undefined ? {} : { connect: { ca }, requestTls: { ca } };
    // The proxy's own patience: it may take a connection and never answer.
    const clientFactory = (origin: URL, options: object) =>
      new undici.Pool(origin, { ...options, headersTimeout: patience });
    const httpsProxy = withScheme(https_proxy || HTTPS_PROXY || '');
    try {
      // Without the first, undici takes HTTP_PROXY for https too.
      kept = { settings, agent: new undici.EnvHttpProxyAgent({ httpProxy: '', httpsProxy, clientFactory, ...trust }) };
    } catch {
      // What is wrong with it may have its password.
      throw new Refused(
        'HTTPS_PROXY is no address of a proxy: http://USER:PASSWORD@HOST:PORT, with %25 for a % within',
      );
    }
  }
  return kept.agent;
};

/** Without a scheme it is http, as curl has it. */
const withScheme = (proxy: string): string => (proxy === '' || proxy.includes('://') ? proxy : `http://${proxy}`);

/** What waits for a server or a proxy that is silent would keep the process. */
const disconnect = (): void => {
  void kept?.agent.destroy();
  kept = undefined;
};

let kept: { readonly settings: string; readonly agent: EnvHttpProxyAgent } | undefined;
