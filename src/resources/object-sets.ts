import { type Script, sh } from '../hosts/shell.js';
import { setLabel } from './kube-object.js';
import { newestReleases, releaseLabels, releaseRecords, releaseRecordWords } from './release-records.js';
import type { KubeObject, ObjectResource, ReleaseResource } from './resource.js';

/** Everything that kbs puts into a cluster and may have to take out of it, what others need before those that need it. */
const prunedTypes = [
  'namespaces',
  'serviceaccounts',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'configmaps',
  'services',
  'daemonsets.apps',
  'deployments.apps',
  'runtimeclasses.node.k8s.io',
];

/**
 * Shell that prints the cluster's labelled objects, one a line: set, API version, kind, name, namespace; then the records
 * of the releases that kbs made, and where there are any, or where they are purged, what add-ons leave behind: volumes
 * and their classes, kinds, and namespaces. Nothing where the API server does not answer.
 */
export const printObjectSets = (kubeconfig: string, purges = false): Script =>
  sh`if [ -x ${kubectl} ] && [ -r ${kubeconfig} ]; then
  ask_left() { # WORD ARGUMENT...
    kbs_word=$1; shift
    if kbs_left=$(timeout 15 ${kubectl} --kubeconfig ${kubeconfig} --cache-dir=/dev/null --request-timeout=5s get "$@" 2>/dev/null)
    then printf '%s\\n' "$kbs_left" | sed "s/^/$kbs_word /"
    else echo "left cannot tell $kbs_word"; fi
  }
  timeout 15 ${kubectl} --kubeconfig ${kubeconfig} --cache-dir=/dev/null --request-timeout=5s \\
    get ${prunedTypes.join(',')} -A -l ${setLabel} -o ${`jsonpath=${columns}`} 2>/dev/null || :
  kbs_releases=$(timeout 15 ${kubectl} --kubeconfig ${kubeconfig} --cache-dir=/dev/null --request-timeout=5s \\
    ${releaseRecordWords()} -A 2>/dev/null) || :
  if [ -n "$kbs_releases" ]; then printf '%s\\n' "$kbs_releases"; fi
  if [ -n "$kbs_releases" ] || [ ${purges ? 'purges' : ''} ]; then
    ask_left volume persistentvolumes,storageclasses -o ${`jsonpath=${volumeColumns}`}
    ask_left kind customresourcedefinitions -l ${releaseLabels.addon} ${words}
    ask_left namespace namespaces -l ${releaseLabels.addon} ${words}
  fi
fi`;

const words = ['--show-labels', '--no-headers', '--ignore-not-found'];

const kubectl = '/usr/local/bin/kubectl';

const columns = `{range .items[*]}${[
  `.metadata.labels.${setLabel.replaceAll('.', '\\.')}`,
  '.apiVersion',
  '.kind',
  '.metadata.name',
  '.metadata.namespace',
]
  .map((field) => `{${field}}`)
  .join('{" "}')}{"\\n"}{end}`;

/** Kind, name, the release that made it, the claim, and what becomes of the data without it. */
const volumeColumns = `{range .items[*]}${[
  '{.kind}',
  '{.metadata.name}',
  '{.metadata.annotations.meta\\.helm\\.sh/release-namespace}/{.metadata.annotations.meta\\.helm\\.sh/release-name}',
  '{.spec.claimRef.namespace}/{.spec.claimRef.name}',
  '{.spec.storageClassName}',
  '{.spec.persistentVolumeReclaimPolicy}',
].join('=')}{"\\n"}{end}`;

/** A PersistentVolume that is claimed. */
export interface Volume {
  readonly name: string;
  readonly namespace: string;
  readonly claim: string;
  /** `namespace/name` of the release that made its StorageClass; absent where none did. */
  readonly release?: string;
  /** Kubernetes deletes its data with the claim. */
  readonly isDeleted: boolean;
}

/** What add-ons leave behind when they go, as far as it could be asked. */
export interface Kept {
  readonly volumes: readonly Volume[];
  /** CustomResourceDefinitions that helm keeps: by name, with the add-on that brought them. */
  readonly kinds: readonly Labelled[];
  /** Namespaces that kbs made for an add-on. */
  readonly namespaces: readonly Labelled[];
  /** Whether the API server did not say all of it. */
  readonly isUnknown: boolean;
}

export interface Labelled {
  readonly name: string;
  readonly addon: string;
}

/** What add-ons leave behind, in what `printObjectSets` printed. */
export const parseKept = (output: string): Kept => {
  const all = output.split('\n');
  const rows = (word: string) =>
    all.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    volumes: volumesIn(rows('volume')),
    kinds: rows('kind').flatMap(labelledIn),
    namespaces: rows('namespace').flatMap(labelledIn),
    isUnknown: rows('left').length > 0,
  };
};

const labelledIn = (row: string): readonly Labelled[] => {
  const columns = row.trim().split(/\s+/);
  const addon = (columns.at(-1) ?? '').split(',').find((pair) => pair.startsWith(`${releaseLabels.addon}=`));
  const name = columns[0] ?? '';
  return addon === undefined ? [] : [{ name, addon: addon.slice(releaseLabels.addon.length + 1) }];
};

const volumesIn = (printed: readonly string[]): readonly Volume[] => {
  const rows = printed.map((row) => row.split('='));
  const classes = new Map(
    rows.flatMap(([kind, name = '', release = '']) => (kind === 'StorageClass' ? [[name, release] as const] : [])),
  );
  return rows.flatMap(([kind, name = '', , claimed = '', storageClass = '', policy]) => {
    const [namespace = '', claim = ''] = claimed.split('/');
    if (kind !== 'PersistentVolume' || claim === '') return [];
    const release = classes.get(storageClass) ?? '/';
    return [{ name, namespace, claim, isDeleted: policy === 'Delete', ...(release === '/' ? {} : { release }) }];
  });
};

/** The sets in what that printed: each as a resource that names its objects. */
export const parseObjectSets = (output: string, kubeconfig: string): readonly ObjectResource[] => {
  const sets = new Map<string, KubeObject[]>();
  for (const line of output.split('\n')) {
    if (releaseRecords(line).length > 0 || /^(volume|kind|namespace|left) /.test(line)) continue;
    const [set = '', apiVersion = '', kind = '', name = '', namespace = ''] = line.split(' ');
    if (name === '') continue;
    const metadata = namespace === '' ? { name } : { name, namespace };
    sets.set(set, [...(sets.get(set) ?? []), { apiVersion, kind, metadata }]);
  }
  return [...sets].map(([name, objects]) => ({ kind: 'object', name, kubeconfig, objects }));
};

/** The releases in what that printed, those first that were installed last, each as far as it can be removed. */
export const parseReleases = (output: string, kubeconfig: string): readonly ReleaseResource[] =>
  newestReleases(releaseRecords(output))
    .toSorted((one, other) => (other.order ?? 0) - (one.order ?? 0))
    .map(({ name, namespace = '', addon = name, order = 0 }) =>
      removable({ name, namespace, addon, order, kubeconfig }),
    );

/** A release as far as it can be removed. */
export const removable = (
  release: Pick<ReleaseResource, 'name' | 'namespace' | 'addon' | 'order' | 'kubeconfig'>,
): ReleaseResource => ({
  kind: 'release',
  ...release,
  chart: { name: '', version: '', sha256: '', tgz: new Uint8Array() },
  values: {},
  adopt: false,
  timeoutSeconds: 300,
});

/** The types of `printObjectSets`, as objects name them, `kind`: whatever is labelled must be one of them. */
export const isPrunedType = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean => {
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
  const name = kind.toLowerCase();
  const plural = name.endsWith('s') ? `${name}es` : `${name}s`;
  return prunedTypes.includes(`${plural}${group === '' ? '' : `.${group}`}`);
};
