import { isRecord, sha256 } from '../secret.js';
import { type Answer, getUrl, type Opened, openUrl, Refused } from './http.js';

/** One repository of a registry, with the anonymous token that it asks for: https://github.com/opencontainers/distribution-spec */
export class Registry {
  #authorization: Readonly<Record<string, string>> = {};

  readonly #base: string;
  readonly #signal: AbortSignal | undefined;

  /** `base`: `https://HOST/v2/REPOSITORY`. `signal` ends what is asked when it aborts. */
  constructor(base: string, signal?: AbortSignal) {
    this.#base = base;
    this.#signal = signal;
  }

  /** A document below the repository, in memory: at most `most` bytes. Throws an Error that says what the registry answered. */
  async get(path: string, most: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const url = this.address(path);
    const answer = await this.#asked(url, (more) =>
      getUrl(url, { most, headers: { ...headers, ...more }, signal: this.#signal }),
    );
    if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
    const said = answer.headers['docker-content-digest'];
    // A registry may say it by another algorithm.
    if (String(said).startsWith('sha256:') && said !== `sha256:${sha256(answer.body)}`) {
      throw new Error(`${url} has the digest sha256:${sha256(answer.body)}, and the registry says ${String(said)}`);
    }
    return { ...answer, url };
  }

  /** A blob as it arrives, whatever the status. */
  open(path: string, headers: Readonly<Record<string, string>>): Promise<Opened> {
    const url = this.address(path);
    return this.#asked(url, (more) => openUrl(url, { headers: { ...headers, ...more }, signal: this.#signal }));
  }

  address(path: string): string {
    return `${this.#base}/${path}`;
  }

  async #asked<A extends Answer | Opened>(
    url: string,
    ask: (headers: Readonly<Record<string, string>>) => Promise<A>,
  ): Promise<A> {
    let answer = await ask(this.#authorization);
    if (answer.status === 401) {
      await dumped(answer);
      this.#authorization = await token(answer, url, this.#signal);
      answer = await ask(this.#authorization);
    }
    if (answer.status !== 401 && answer.status !== 403) return answer;
    await dumped(answer);
    throw new Refused(`${url} answers ${answer.status}: it wants a login, and kbs has none`);
  }
}

const dumped = async ({ body }: Answer | Opened): Promise<void> => {
  if ('dump' in body) await body.dump();
};

/** https://distribution.github.io/distribution/spec/auth/token/ */
const token = async (
  { headers }: Pick<Answer, 'headers'>,
  url: string,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string>>> => {
  const challenge = headers['www-authenticate'] ?? '';
  const field = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
  const realm = field('realm');
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
    throw new Refused(`${url} answers 401: it wants a login, and kbs has none`);
  }
  const address = new URL(realm);
  for (const name of ['service', 'scope']) {
    const value = field(name);
    if (value !== undefined) address.searchParams.set(name, value);
  }
  const { status, body } = await getUrl(address.href, { most: mostOfToken, signal });
  if (status !== 200) throw new Error(`${url} wants a token, and ${address.href} answers ${status}`);
  const { token: given, access_token: accessToken = given } = jsonOf(body, address.href);
  if (typeof accessToken !== 'string') throw new Error(`${address.href} answers without a token`);
  return { authorization: `Bearer ${accessToken}` };
};

const mostOfToken = 1024 * 1024;

/** The JSON object of an answer; throws an Error where it is none. */
export const jsonOf = (body: Buffer, url: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isRecord(value)) return value;
  } catch {
    // Said below.
  }
  throw new Error(`${url} answers with no JSON`);
};
