import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of an answer; more than that is refused. */
  readonly most: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/**
 * Gets an https address, with Node's own trust (NODE_EXTRA_CA_CERTS) and, where that Node has it, its own proxy settings
 * (NODE_USE_ENV_PROXY). Redirects are followed to https alone; what identifies the caller is for the first host only.
 * Throws an Error that says why there is no whole answer; a status that is no success is an answer.
 */
export const httpsGet = async (url: string, options: GetOptions): Promise<Answer> => {
  let at = new URL(url);
  let headers = options.headers ?? {};
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    if (at.protocol !== 'https:') throw new Error(`${url} leads to ${at.href}, which is not https`);
    const answer = await once(at, { ...options, headers }).catch((error: unknown) => {
      throw new Error(`${at.href}: ${reasonOf(error)}`);
    });
    const { location } = answer.headers;
    if (!redirectCodes.has(answer.status) || location === undefined) return answer;
    const next = new URL(location, at);
    if (next.host !== at.host) headers = withoutCredentials(headers);
    at = next;
  }
  throw new Error(`${url} redirects more than ${mostRedirects} times`);
};

/** A connection that is refused at each of several addresses has a code, and no message. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return error.message || code || error.name;
};

const mostRedirects = 5;
const redirectCodes = new Set([301, 302, 303, 307, 308]);

/** How long a server may be silent. */
const patience = 30_000;

const withoutCredentials = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));

const once = (url: URL, { headers = {}, most }: GetOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers: { 'user-agent': 'kbs', ...headers }, timeout: patience }, (response) => {
      const pieces: Buffer[] = [];
      let size = 0;
      response.on('data', (piece: Buffer) => {
        size += piece.length;
        pieces.push(piece);
        if (size > most) sent.destroy(new Error(`the answer has more than ${most} bytes`));
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
      response.on('error', (error) => reject(error.message === 'aborted' ? new Error('the answer broke off') : error));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${patience / 1000} seconds`)));
    sent.on('error', reject);
    sent.end();
  });
