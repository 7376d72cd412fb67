import { isRecord, sha256 } from '../secret.js';
import { type Answer, httpsGet } from './https-get.js';
import { type FoundChart, mostOfChart, type WantedChart } from './wanted-chart.js';

/**
 * A chart's archive from an OCI registry, and the digest that its manifest has for it: the layer that helm pushes,
 * https://helm.sh/docs/topics/registries/. A registry that asks for a token gets an anonymous one. Throws an Error that
 * says what the registry answered.
 */
export const fromRegistry = async ({ repository, name, version }: WantedChart): Promise<FoundChart> => {
  const [host = '', ...path] = `${repository}/${name}`.replace(/^oci:\/\//, '').split('/');
  const registry = new Registry(`https://${host}/v2/${path.join('/')}`);
  // A tag has no plus sign: helm writes an underscore.
  const tag = version.replaceAll('+', '_');
  const manifest = await registry.get(`manifests/${tag}`, mostOfManifest, { accept: manifestType });
  const digest = chartLayer(manifest, tag);
  const { url, body } = await registry.get(`blobs/${digest}`, mostOfChart);
  return { url, tgz: body, digest: { sha256: digest.slice('sha256:'.length), by: manifest.url } };
};

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const chartLayerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const mostOfManifest = 4 * 1024 * 1024;

/** One repository of a registry, with the token that it has asked for: https://github.com/opencontainers/distribution-spec */
class Registry {
  #authorization: Readonly<Record<string, string>> = {};

  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  async get(path: string, most: number, headers: Readonly<Record<string, string>> = {}) {
    const url = `${this.#base}/${path}`;
    let answer = await this.#ask(url, most, headers);
    if (answer.status === 401) {
      this.#authorization = await this.#token(answer, url);
      answer = await this.#ask(url, most, headers);
    }
    if (answer.status === 401 || answer.status === 403) {
      throw new Error(`${url} answers ${answer.status}: it wants a login, and kbs has none`);
    }
    if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
    return { url, body: answer.body, headers: answer.headers };
  }

  #ask(url: string, most: number, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return httpsGet(url, { most, headers: { ...headers, ...this.#authorization } });
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #token({ headers }: Answer, url: string): Promise<Readonly<Record<string, string>>> {
    const challenge = headers['www-authenticate'] ?? '';
    const field = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
    const realm = field('realm');
    if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
      throw new Error(`${url} answers 401: it wants a login, and kbs has none`);
    }
    const address = new URL(realm);
    for (const name of ['service', 'scope']) {
      const value = field(name);
      if (value !== undefined) address.searchParams.set(name, value);
    }
    const { status, body } = await httpsGet(address.href, { most: mostOfManifest });
    if (status !== 200) throw new Error(`${url} wants a token, and ${address.href} answers ${status}`);
    const { token, access_token: accessToken = token } = parsed(body, address.href);
    if (typeof accessToken !== 'string') throw new Error(`${address.href} answers without a token`);
    return { authorization: `Bearer ${accessToken}` };
  }
}

const chartLayer = (
  { body, headers, url }: { readonly body: Buffer; readonly headers: Answer['headers']; readonly url: string },
  tag: string,
): string => {
  const said = headers['docker-content-digest'];
  if (said !== undefined && said !== `sha256:${sha256(body)}`) {
    throw new Error(`${url} has the digest sha256:${sha256(body)}, and the registry says ${String(said)}`);
  }
  const { layers } = parsed(body, url);
  const layer = (Array.isArray(layers) ? (layers as readonly unknown[]) : []).find(
    (each): each is { readonly digest: string } =>
      isRecord(each) && each.mediaType === chartLayerType && /^sha256:[0-9a-f]{64}$/.test(String(each.digest)),
  );
  if (layer === undefined)
    throw new Error(`${url} is no Helm chart: ${tag} has no layer of the type ${chartLayerType}`);
  return layer.digest;
};

const parsed = (body: Buffer, url: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isRecord(value)) return value;
  } catch {
    // Said below.
  }
  throw new Error(`${url} answers with no JSON`);
};
