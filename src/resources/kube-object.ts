import { isRecord, reveal, Secret, sha256 } from '../secret.js';
import { withNamedTaints } from './node-object.js';
import type { KubeObject, ObjectResource } from './resource.js';

/**
 * The objects as they are wanted in the cluster: a Secret's values encoded and marked secret, the taints of Nodes named,
 * the digest added, and a label with the name of their set by which they are found when no phase wants the set any more.
 */
export const asApplied = (
  resource: Pick<ObjectResource, 'name' | 'objects' | 'keep' | 'manager'>,
): readonly KubeObject[] =>
  resource.objects.map(withSecretData).map((wanted) => {
    // The digest is that of the set whose field manager is kbs.
    if (resource.manager !== undefined) return wanted;
    const annotations = isRecord(wanted.metadata.annotations) ? wanted.metadata.annotations : {};
    const digest = sha256(JSON.stringify(revealed(wanted, byName))).slice(0, 16);
    const { metadata } = resource.keep === undefined ? labelled(wanted, resource.name) : wanted;
    return withNamedTaints({
      ...wanted,
      metadata: { ...metadata, annotations: { ...annotations, [digestAnnotation]: digest } },
    });
  });

const digestAnnotation = 'kbs.dev/digest';

/** The label by which the objects of a set are found. */
export const setLabel = 'kbs.dev/set';

const labelled = (wanted: KubeObject, set: string): KubeObject => {
  const labels = isRecord(wanted.metadata.labels) ? wanted.metadata.labels : {};
  return { ...wanted, metadata: { ...wanted.metadata, labels: { ...labels, [setLabel]: set } } };
};

/** `stringData` cannot be read back, so it becomes `data`. */
const withSecretData = (wanted: KubeObject): KubeObject => {
  if (wanted.kind !== 'Secret' || wanted.apiVersion !== 'v1') return wanted;
  const { data, stringData, ...rest } = wanted;
  const encoded = Object.entries(isRecord(data) ? data : {}).map(([key, value]) => [key, asSecret(textIn(value))]);
  const plain = Object.entries(isRecord(stringData) ? stringData : {}).map(([key, value]) => [
    key,
    asSecret(Buffer.from(textIn(value)).toString('base64')),
  ]);
  return { ...rest, data: Object.fromEntries([...encoded, ...plain]) };
};

const asSecret = (text: string): Secret => new Secret(text);
const textIn = (value: unknown): string => (value instanceof Secret ? value.reveal() : String(value));

/** A List, as kubectl reads several objects at once. It holds Secrets in plain text: for a host's stdin only. */
export const listOf = (objects: readonly KubeObject[]): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects.map((each) => revealed(each)) });

/** A copy in which every Secret is its text. */
const revealed = (value: unknown, order: (fields: Entries) => Entries = (fields) => fields): unknown => {
  if (value instanceof Secret) return reveal(value);
  if (Array.isArray(value)) return value.map((element) => revealed(element, order));
  if (!isRecord(value)) return value;
  return Object.fromEntries(order(Object.entries(value)).map(([field, inner]) => [field, revealed(inner, order)]));
};

/** So that the digest does not depend on the order in which fields were written down. */
const byName = (fields: Entries): Entries => fields.toSorted(([one], [other]) => (one < other ? -1 : 1));

/** The fields that name an object. */
export const nameOnly = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: namespace === undefined ? { name } : { name, namespace },
});

/** The objects in what kubectl printed: nothing, one object, or a List. Undefined for anything but JSON. */
export const parseObjects = (output: string): readonly KubeObject[] | undefined => {
  if (output.trim() === '') return [];
  const parsed = parse(output);
  if (parsed === undefined) return undefined;
  const found = isRecord(parsed) && Array.isArray(parsed.items) ? parsed.items : [parsed];
  return found.filter(isObject);
};

const parse = (output: string): unknown => {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is KubeObject =>
  isRecord(value) && typeof value.kind === 'string' && isRecord(value.metadata);

/** `Kind/namespace/name`, or `Kind/name` of what has no namespace. */
export const keyOf = ({ kind, metadata: { namespace, name } }: KubeObject): string =>
  [kind, namespace, name].filter((part) => part !== undefined).join('/');

type Entries = readonly (readonly [string, unknown])[];
