import { isRecord, Secret, sha256 } from '../secret.js';
import { sameQuantity } from './quantity.js';

/**
 * A live object reduced to the fields of a wanted one, so that both are equal when all that is wanted is there: what the
 * API server adds by itself is left out, what it writes in another form takes the wanted form, and a digest replaces each
 * value that is wanted as a Secret. The projection of a wanted object onto itself is its desired state.
 *
 * Lists and maps follow the API's own merge rules (listType and mapType in its OpenAPI schema): where several field
 * managers share one, the elements of the others are left out; where it is replaced as a whole, nothing is.
 */
export const project = (live: unknown, wanted: unknown, path: readonly string[] = []): unknown => {
  if (wanted instanceof Secret) return typeof live === 'string' || live instanceof Secret ? digestOf(live) : live;
  if (live === undefined) return isDropped(wanted, path) ? wanted : undefined;
  if (isRecord(wanted) && isRecord(live)) return projectMap(live, wanted, path);
  if (Array.isArray(wanted) && Array.isArray(live)) return projectList(live, wanted, path);
  if (path.some((field) => quantities.has(field)) && sameQuantity(live, wanted)) return wanted;
  return live;
};

const projectMap = (live: Fields, wanted: Fields, path: readonly string[]): Fields => {
  const fields = Object.keys(wanted).filter((field) => wanted[field] !== undefined);
  const projected = fields.map((field) => [field, project(live[field], wanted[field], [...path, field])]);
  const others = wholeMaps.has(path.at(-1) ?? '') ? Object.entries(live).filter(([field]) => !(field in wanted)) : [];
  return Object.fromEntries([...projected, ...others].filter(([, value]) => value !== undefined));
};

const projectList = (live: readonly unknown[], wanted: readonly unknown[], path: readonly string[]): unknown => {
  const keys = mergeKeys(path);
  if (keys === undefined) {
    return live.map((element, index) => (index < wanted.length ? project(element, wanted[index], path) : element));
  }
  const byKey = new Map(live.map((element) => [keyOf(element, keys), element]));
  return wanted
    .filter((element) => byKey.has(keyOf(element, keys)))
    .map((element) => project(byKey.get(keyOf(element, keys)), element, path));
};

/** The fields by which the API server identifies the elements of a list that it merges. */
const mergeKeys = (path: readonly string[]): readonly string[] | undefined => {
  const field = path.at(-1) ?? '';
  if (field !== 'ports') return mergedLists[field];
  if (path.at(-2) === 'spec') return ['port', 'protocol'];
  return ['containers', 'initContainers'].includes(path.at(-2) ?? '') ? ['containerPort', 'protocol'] : undefined;
};

/** The API server replaces taints as a whole; but kbs sets its own one by one, and leaves those of others alone. */
const mergedLists: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  env: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  ownerReferences: ['uid'],
  taints: ['key', 'effect'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
  webhooks: ['name'],
};

const keyOf = (element: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map((key) => (isRecord(element) ? (element[key] ?? keyDefaults[key]) : element)));

const keyDefaults: Readonly<Record<string, string>> = { protocol: 'TCP' };

/** Maps that the API server replaces as a whole. */
const wholeMaps = new Set(['matchLabels', 'namespaceSelector', 'nodeSelector', 'podSelector', 'selector']);

/** Maps of the user's own keys, where an empty text is a value. */
const textMaps = new Set(['annotations', 'binaryData', 'data', 'labels', ...wholeMaps]);

const quantities = new Set(['capacity', 'hard', 'limits', 'requests', 'sizeLimit']);

/** The API server does not store empty values (Go's omitempty), except in fields where empty and absent differ. */
const isDropped = (wanted: unknown, path: readonly string[]): boolean => {
  if (textMaps.has(path.at(-2) ?? '') || keptWhenEmpty.has(path.at(-1) ?? '')) return false;
  if (Array.isArray(wanted)) return wanted.length === 0;
  if (isRecord(wanted)) return Object.keys(wanted).length === 0;
  return wanted === null || wanted === '' || wanted === false || wanted === 0;
};

const keptWhenEmpty = new Set([
  'allowPrivilegeEscalation',
  'automountServiceAccountToken',
  'enableServiceLinks',
  'privileged',
  'readOnlyRootFilesystem',
  'runAsNonRoot',
  'runAsUser',
  'runAsGroup',
]);

type Fields = Readonly<Record<string, unknown>>;

const digestOf = (text: string | Secret): string =>
  `sha256:${sha256(typeof text === 'string' ? text : text.reveal()).slice(0, 32)}`;
