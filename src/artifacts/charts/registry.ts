import { isRecord } from '../../secret.js';
import type { Answer } from '../http.js';
import { mostOfManifest, ociManifest } from '../manifest-types.js';
import { jsonOf, Registry } from '../registry.js';
import { type FoundChart, mostOfChart, type WantedChart } from './wanted.js';

/**
 * A chart's archive from an OCI registry, and the digest that its manifest has for it: the layer that helm pushes,
 * https://helm.sh/docs/topics/registries/. Throws an Error that says what the registry answered.
 */
export const fromRegistry = async ({ repository, name, version }: WantedChart): Promise<FoundChart> => {
  const [host = '', ...path] = `${repository}/${name}`.replace(/^oci:\/\//, '').split('/');
  const registry = new Registry(`https://${host}/v2/${path.join('/')}`);
  // A tag has no plus sign: helm writes an underscore.
  const tag = version.replaceAll('+', '_');
  const manifest = await registry.get(`manifests/${tag}`, mostOfManifest, { accept: ociManifest });
  const digest = chartLayer(manifest, tag);
  const { url, body } = await registry.get(`blobs/${digest}`, mostOfChart);
  return { url, tgz: body, digest: { sha256: digest.slice('sha256:'.length), by: manifest.url } };
};

const chartLayerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

const chartLayer = ({ body, url }: Pick<Answer, 'body' | 'url'>, tag: string): string => {
  const { layers } = jsonOf(body, url);
  const layer = (Array.isArray(layers) ? (layers as readonly unknown[]) : []).find(
    (each): each is { readonly digest: string } =>
      isRecord(each) && each.mediaType === chartLayerType && /^sha256:[0-9a-f]{64}$/.test(String(each.digest)),
  );
  if (layer === undefined)
    throw new Error(`${url} is no Helm chart: ${tag} has no layer of the type ${chartLayerType}`);
  return layer.digest;
};
