import { lines, raw, type Script, sh } from '../hosts/shell.js';
import { isRecord } from '../secret.js';
import type { KubeObject } from './resource.js';

/*
 * What is special about Nodes: other programs and people label and taint them too.
 *
 * Labels are a map, of which the API server knows the owner of each key (metadata.managedFields): a label that kbs once
 * applied and applies no more goes, unless another field manager has it as well. Taints are one list for all writers
 * (listType=atomic), so server-side apply would replace those of others: kbs changes its own one by one, and an
 * annotation of the Node names them. Both lie in the cluster, and outlive the machine that kbs runs on.
 */

/** The field manager of kbs; it alone sets taints. */
export const kbs = 'kbs';

/** Names the taints that kbs has set, as `kubectl taint` takes them, with spaces between. */
const taintsAnnotation = 'kbs.dev/taints';

export const isNodeObject = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'Node';

/** A taint as the API has it, from `key=value:Effect` or `key:Effect`. */
export const taint = (text: string): Taint => {
  const [pair = '', effect = ''] = text.split(':');
  const [key = '', value] = pair.split('=');
  return value === undefined ? { key, effect } : { key, value, effect };
};

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** The Node with its taints named in the annotation, and with an empty value in those that have none. */
export const withNamedTaints = (node: KubeObject): KubeObject => {
  const taints = taintsOf(node);
  if (!isNodeObject(node) || taints.length === 0) return node;
  const named = withAnnotation(node, taints.map(taintText).join(' '));
  return {
    ...named,
    spec: { ...fieldsIn(named.spec), taints: taints.map(({ key, value = '', effect }) => ({ key, value, effect })) },
  };
};

/**
 * The wanted Node together with the labels and taints of the live one that kbs has set and wants no more. Labels that
 * another field manager has set as well stay, so they are not among them.
 */
export const withFormer = (wanted: KubeObject, live: KubeObject, manager: string): KubeObject => {
  if (!isNodeObject(wanted)) return wanted;
  const labels = fieldsIn(wanted.metadata.labels);
  const liveLabels = fieldsIn(live.metadata.labels);
  const former = ownedLabels(live, manager).filter((key) => !(key in labels) && key in liveLabels);
  const recorded = manager === kbs ? textIn(fieldsIn(live.metadata.annotations)[taintsAnnotation]) : '';
  const kept = new Set(taintsOf(wanted).map(identityOf));
  const added = recorded.split(' ').filter(Boolean).map(taint);
  const taints = [...taintsOf(wanted), ...added.filter((one) => !kept.has(identityOf(one)))];
  const seen = {
    ...wanted,
    metadata: { ...wanted.metadata, labels: { ...labels, ...Object.fromEntries(former.map((key) => [key, ''])) } },
    ...(taints.length > 0 ? { spec: { ...fieldsIn(wanted.spec), taints } } : {}),
  };
  return recorded === '' ? seen : withAnnotation(seen, recorded);
};

/** The Node for server-side apply: without taints, and without the annotation that names them. */
export const withoutTaints = (node: KubeObject): KubeObject => {
  if (!isNodeObject(node)) return node;
  const { [taintsAnnotation]: _named, ...annotations } = fieldsIn(node.metadata.annotations);
  const { taints: _taints, ...spec } = fieldsIn(node.spec);
  return {
    ...node,
    metadata: { ...node.metadata, annotations },
    ...(node.spec === undefined ? {} : { spec }),
  };
};

/**
 * Shell that gives these Nodes the taints that they are wanted with, and takes away those that the annotation names and
 * that are wanted no more. Those of others stay. The annotation names a taint before it is set and until it is gone, so
 * an interrupted change is seen by the next run.
 */
export const setTaints = (kubectl: Script, nodes: readonly KubeObject[]): Script => sh`
kbs_named=$(${raw(kubectl)} get nodes -o ${named})
kbs_taint() ( # NODE TAINT...
  set -f
  node=$1; shift
  wanted=" $(printf '%s\\n' "$@" | sed 's/=[^:]*//' | tr '\\n' ' ')"
  recorded=$(printf '%s\\n' "$kbs_named" | sed -n "s/^$node //p")
  for identity in $(printf '%s\\n' $recorded | sed -n 's/=[^:]*//; /^[A-Za-z0-9].*:[A-Za-z]*$/p'); do
    case $wanted in *" $identity "*) continue ;; esac
    said=$(${raw(kubectl)} taint nodes "$node" "$identity-" --field-manager=kbs 2>&1) ||
      case $said in *' not found'*) ;; *) printf '%s\\n' "$said" >&2; exit 1 ;; esac
  done
  if [ $# -gt 0 ]; then
    ${raw(kubectl)} annotate nodes "$node" ${taintsAnnotation}="$*" --overwrite --field-manager=kbs
    ${raw(kubectl)} taint nodes "$node" "$@" --overwrite --field-manager=kbs
  elif [ -n "$recorded" ]; then
    ${raw(kubectl)} annotate nodes "$node" ${`${taintsAnnotation}-`} --field-manager=kbs
  fi
)
${raw(lines(...nodes.map((node) => sh`kbs_taint ${[node.metadata.name, ...taintsOf(node).map(taintText)]}`)))}`;

/** One line for each Node: its name, and the taints that kbs has set. */
const named = `jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.${taintsAnnotation.replaceAll('.', '\\.')}}{"\\n"}{end}`;

/** As `kubectl taint` takes it. */
const taintText = ({ key, value = '', effect }: Taint): string => `${key}${value === '' ? '' : `=${value}`}:${effect}`;

/** What the API server tells taints apart by. */
const identityOf = ({ key, effect }: Taint): string => `${key}:${effect}`;

const taintsOf = ({ spec }: KubeObject): readonly Taint[] => {
  const { taints } = fieldsIn(spec);
  return Array.isArray(taints) ? taints : [];
};

const withAnnotation = (node: KubeObject, text: string): KubeObject => ({
  ...node,
  metadata: { ...node.metadata, annotations: { ...fieldsIn(node.metadata.annotations), [taintsAnnotation]: text } },
});

/** Keys of the labels that this field manager alone has applied: `f:metadata`, `f:labels`, `f:KEY` of fieldsV1. */
const ownedLabels = ({ metadata: { managedFields } }: KubeObject, manager: string): readonly string[] => {
  const entries = Array.isArray(managedFields) ? managedFields.map(fieldsIn) : [];
  const keysOf = (entry: Fields) =>
    Object.keys(fieldsIn(fieldsIn(fieldsIn(entry.fieldsV1)['f:metadata'])['f:labels'])).filter((key) => key !== '.');
  const isOwn = (entry: Fields) => entry.manager === manager && entry.operation === 'Apply';
  const others = new Set(entries.filter((entry) => !isOwn(entry)).flatMap(keysOf));
  return entries
    .filter(isOwn)
    .flatMap(keysOf)
    .filter((key) => !others.has(key))
    .map((key) => key.slice('f:'.length));
};

type Fields = Readonly<Record<string, unknown>>;

const fieldsIn = (value: unknown): Fields => (isRecord(value) ? value : {});

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
