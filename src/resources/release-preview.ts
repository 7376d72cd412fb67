import { stringify } from 'yaml';
import { hereDocument, lines, raw, type Script, sh } from '../hosts/shell.js';
import { isRecord, Secret, sha256 } from '../secret.js';
import { keyOf, parseObjects } from './kube-object.js';
import { helmShell } from './release-shell.js';
import type { KubeObject, Preview, ReleaseResource, State } from './resource.js';

/**
 * Shell that asks what an upgrade would change: what the chart renders, as the API server would have it (a server-side
 * apply as a dry run, with helm's own field manager), what is there of it, and what is there of the revision that is
 * installed. `isSame`: chart and values are those of that revision. Absent helm is a line that says so.
 */
export const previewScript = (
  { kubeconfig, namespace, name, chart, values }: ReleaseResource,
  isSame: boolean,
): Script =>
  lines(
    helmShell,
    sh`if [ ! -x /usr/local/bin/helm ]; then echo 'kbs: cannot tell helm is not there'; exit 0; fi
kbs_folder=$(mktemp -d /run/kbs-helm.XXXXXX)
trap 'rm -rf "$kbs_folder"' EXIT
helm_home "$kbs_folder" ${kubeconfig} ${namespace}
cd "$kbs_folder"
cannot_tell() { printf 'kbs: cannot tell %s\\n' "$(grep . why | tail -n 1)"; }
timeout 20 /usr/local/bin/helm get manifest ${name} > before 2> why || : > before`,
    isSame ? sh`cp before wanted` : rendered(name, chart.tgz, values),
    sh`echo 'kbs: wanted'
cluster_kubectl apply --server-side --dry-run=server --force-conflicts --field-manager=helm -o json -f wanted 2> why || cannot_tell
echo 'kbs: live'
cluster_kubectl get --ignore-not-found -o json -f wanted 2> why || cannot_tell
echo 'kbs: before'
cluster_kubectl get --ignore-not-found -o json -f before 2> why || cannot_tell`,
  );

/** helm renders with the API server's answers, and installs nothing. A query has no payloads, so the chart is in its text. */
const rendered = (name: string, tgz: Uint8Array, values: ReleaseResource['values']): Script =>
  lines(
    sh`base64 -d > chart.tgz ${raw(hereDocument(inLines(Buffer.from(tgz)), 'END_OF_CHART'))}`,
    sh`base64 -d > values.json ${raw(hereDocument(inLines(Buffer.from(JSON.stringify(revealed(values)))), 'END_OF_VALUES'))}`,
    sh`if ! timeout 30 /usr/local/bin/helm template ${name} chart.tgz -f values.json --is-upgrade --no-hooks --dry-run=server > wanted 2> why; then
  cannot_tell; exit 0
fi`,
  );

/** The values as helm gets them, with the texts of Secrets: they travel by stdin, and lie on the host for root alone. */
export const revealed = (value: unknown): unknown => {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
};

const inLines = (bytes: Buffer): string => bytes.toString('base64').replace(/(.{76})/g, '$1\n');

/** What that printed, as a text for each object: what is there, and what will be. The values of Secrets are digests. */
export const readPreview = (output: string): Preview => {
  const parts = new Map(
    output
      .split(/^kbs: (?=wanted$|live$|before$|cannot tell )/m)
      .map((part) => [part.split('\n', 1)[0] ?? '', part.slice(part.indexOf('\n') + 1)] as const),
  );
  const unknown = [...parts.keys()].find((part) => part.startsWith('cannot tell '));
  const objects = (part: string): State =>
    Object.fromEntries((parseObjects(parts.get(part) ?? '') ?? []).map((each) => [keyOf(each), textOf(each)]));
  const wanted = objects('wanted');
  const seen = { ...objects('before'), ...objects('live') };
  // What could not be rendered says nothing about what is there.
  if (unknown !== undefined) {
    const known = Object.fromEntries(Object.entries(seen).filter(([key]) => key in wanted));
    return { is: known, wanted: { ...wanted, 'other objects': unknown } };
  }
  return { is: seen, wanted };
};

const textOf = (object: KubeObject): string => {
  const { metadata, status: _, ...rest } = object as KubeObject & { readonly status?: unknown };
  const { managedFields: _fields, resourceVersion: _version, uid: _uid, generation: _generation, ...others } = metadata;
  const { creationTimestamp: _time, labels, annotations, ...named } = others;
  const kept = {
    ...named,
    ...ifAny('labels', without(labels, ['app.kubernetes.io/managed-by'])),
    ...ifAny('annotations', without(annotations, ['meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'])),
  };
  return stringify({ ...hidden(rest), metadata: kept }, { lineWidth: 0, sortMapEntries: true });
};

/** helm adds these when it installs, and not when it renders. */
const without = (map: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(isRecord(map) ? map : {}).filter(([key]) => !keys.includes(key)));

const ifAny = (key: string, map: Readonly<Record<string, unknown>>): object =>
  Object.keys(map).length === 0 ? {} : { [key]: map };

const hidden = (object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  object.kind === 'Secret' && isRecord(object.data)
    ? {
        ...object,
        data: Object.fromEntries(
          Object.entries(object.data).map(([key, value]) => [key, `sha256:${sha256(String(value)).slice(0, 32)}`]),
        ),
      }
    : object;
