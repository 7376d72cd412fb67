import { isRecord } from '../../secret.js';
import type { FlaggedComponent } from '../cluster.js';
import type { ComponentFlags, FlagSort } from '../components/flags.js';
import { readComponentFlags } from '../components/flags.js';
import { freeKubeProxyFields, ownKubeProxyFields } from '../components/kube-proxy-fields.js';
import { whyOwn } from '../components/own-flags.js';
import { didYouMean } from '../did-you-mean.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialInventory } from '../partial.js';
import { entries, hostsOf } from '../partial.js';
import { type FieldNames, fieldsBelow, hint } from './fields.js';

/** Flags, feature gates and fields of the components are known, free to set, and of the right sort. */
export const checkComponents = (draft: PartialInventory): readonly InventoryError[] => {
  const { kubernetes = {} } = draft;
  const known = readComponentFlags();
  return [
    ...components.flatMap(([key, component]) => {
      const path = ['kubernetes', key, 'extra'];
      return entries(kubernetes[key]?.extra).flatMap(([flag, value]) =>
        checkFlag(component, flag, value, [...path, flag], known),
      );
    }),
    ...[
      { path: ['kubernetes', 'featureGates'], gates: kubernetes.featureGates },
      { path: ['kubernetes', 'kubelet', 'featureGates'], gates: kubernetes.kubelet?.featureGates },
      { path: ['kubernetes', 'kubeProxy', 'featureGates'], gates: kubernetes.kubeProxy?.featureGates },
      ...hostsOf(draft).map(([name, { kubelet }]) => ({
        path: ['hosts', name, 'kubelet', 'featureGates'],
        gates: kubelet?.featureGates,
      })),
    ].flatMap(({ path, gates }) => checkFeatureGates(path, gates, known)),
    ...(kubernetes.etcd?.external !== undefined && kubernetes.etcd.extra !== undefined
      ? [
          inventoryKeyError(
            ['kubernetes', 'etcd', 'extra'],
            'has no meaning beside `external`: kbs starts no etcd then; leave it out',
          ),
        ]
      : []),
    ...fieldsBelow(['kubernetes', 'kubeProxy'], kubernetes.kubeProxy, kubeProxyFields),
  ];
};

const components = [
  ['apiServer', 'kube-apiserver'],
  ['controllerManager', 'kube-controller-manager'],
  ['scheduler', 'kube-scheduler'],
  ['etcd', 'etcd'],
] as const satisfies readonly (readonly [string, FlaggedComponent])[];

const kubeProxyFields: FieldNames = {
  of: 'a KubeProxyConfiguration',
  free: freeKubeProxyFields,
  own: ownKubeProxyFields,
};

const checkFlag = (
  component: FlaggedComponent,
  flag: string,
  value: unknown,
  path: Path,
  { flags }: ComponentFlags,
): readonly InventoryError[] => {
  const why = whyOwn(component, flag);
  if (why !== undefined) return [inventoryKeyError(path, `cannot be set here: ${why}`)];
  const sorts = flags[component];
  const sort = Object.hasOwn(sorts, flag) ? sorts[flag] : undefined;
  if (sort === undefined) {
    const meant = didYouMean(asFlag(flag), Object.keys(sorts));
    return [inventoryKeyError(path, `is no flag of ${component}${hint(meant)}`)];
  }
  if (flag === 'disable-admission-plugins' && String(value).split(',').includes('NodeRestriction')) {
    return [inventoryError(path, 'NodeRestriction cannot be disabled: it keeps nodes from changing others')];
  }
  return fits[sort].test(String(value)) ? [] : [inventoryError(path, `${String(value)} is not ${nouns[sort]}`)];
};

/** As a flag is written: `--maxRequests_inflight` is `max-requests-inflight`. */
const asFlag = (name: string): string =>
  name
    .replace(/^-+/, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** A duration is that of Go: https://pkg.go.dev/time#ParseDuration */
const fits: Readonly<Record<FlagSort, RegExp>> = {
  boolean: /^(true|false)$/,
  integer: /^-?\d+$/,
  number: /^-?\d+(\.\d+)?(e-?\d+)?$/,
  duration: /^(0|-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/,
  text: /^/,
};

const nouns: Readonly<Record<FlagSort, string>> = {
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  duration: 'a duration like 30s or 1h30m',
  text: 'a text',
};

const checkFeatureGates = (
  path: Path,
  gates: unknown,
  { featureGates, kubernetes }: ComponentFlags,
): readonly InventoryError[] =>
  Object.keys(isRecord(gates) ? gates : {})
    .filter((name) => !featureGates.includes(name))
    .map((name) =>
      inventoryKeyError(
        [...path, name],
        `is no alpha or beta feature gate of Kubernetes ${kubernetes}${hint(didYouMean(name, featureGates))}`,
      ),
    );
