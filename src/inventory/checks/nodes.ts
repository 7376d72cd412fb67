import { formatProblem, labelKey } from '../formats.js';
import type { InventoryError } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import type { PartialHost, PartialInventory } from '../partial.js';
import { allRead, entries, hasRole, hostsOf, isNode, items } from '../partial.js';

/** What only Kubernetes nodes have: labels, taints, GPUs and pods. */
export const checkNodes = (draft: PartialInventory): readonly InventoryError[] =>
  hostsOf(draft).flatMap(([name, host]) => [
    ...checkRepeatedRoles(name, host),
    ...checkNodeFields(draft, name, host),
    ...checkLabelKeys(name, host),
    ...checkReservedLabels(name, host),
    ...checkRepeatedTaints(name, host),
    ...checkGpu(name, host),
    ...checkReservedTaints(name, host),
  ]);

const checkRepeatedRoles = (name: string, host: PartialHost): readonly InventoryError[] => {
  const roles = items(host.roles);
  return roles.flatMap((role, index) =>
    roles.indexOf(role) < index
      ? [inventoryError(['hosts', name, 'roles', index], `${role} is there twice; once is enough`)]
      : [],
  );
};

/** Such a field on a host without a kubelet would change nothing. */
const checkNodeFields = (draft: PartialInventory, name: string, host: PartialHost): readonly InventoryError[] => {
  if (isNode(host, draft) !== false) return [];
  const reason = hasRole(host, 'control-plane')
    ? 'with controlPlane: systemd only workers are Kubernetes nodes; take it away, or add the role worker'
    : 'only control planes and workers are Kubernetes nodes; take it away, or add such a role';
  return (['podCIDR', 'gpu', 'labels', 'taints'] as const)
    .filter((field) => field in host)
    .map((field) => inventoryKeyError(['hosts', name, field], reason));
};

const checkLabelKeys = (name: string, host: PartialHost): readonly InventoryError[] =>
  entries(host.labels)
    .filter(([key]) => !labelKey.accepts(key))
    .map(([key]) => inventoryKeyError(['hosts', name, 'labels', key], `the key ${formatProblem(labelKey, key)}`));

/** kbs would set such a label again and again, or it would contradict the roles that kbs goes by. */
const checkReservedLabels = (name: string, host: PartialHost): readonly InventoryError[] =>
  entries(host.labels).flatMap(([key]) => {
    const role = key.startsWith(rolePrefix) ? key.slice(rolePrefix.length) : '';
    const reason = kubeletLabels.includes(key)
      ? 'the kubelet sets this label itself; take it away'
      : key.startsWith('kbs.dev/')
        ? 'labels of kbs.dev are set by kbs; take it away, or write another prefix'
        : isRole(role) && allRead(host.roles) && !hasRole(host, role)
          ? `this label follows from the roles of the host; add the role ${role}, or take the label away`
          : undefined;
    return reason === undefined ? [] : [inventoryKeyError(['hosts', name, 'labels', key], reason)];
  });

const rolePrefix = 'node-role.kubernetes.io/';
const isRole = (text: string): text is 'control-plane' | 'worker' => text === 'control-plane' || text === 'worker';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const kubeletLabels = [
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
];

/** Kubernetes refuses a node with two taints of the same key and effect. */
const checkRepeatedTaints = (name: string, host: PartialHost): readonly InventoryError[] => {
  const taints = items(host.taints);
  const seen = taints.map(taintIdentity);
  return taints.flatMap((taint, index) =>
    seen.indexOf(seen[index] ?? '') < index
      ? [
          inventoryError(
            ['hosts', name, 'taints', index],
            `${taint} repeats the key and effect of an earlier taint; keep one of them`,
          ),
        ]
      : [],
  );
};

/** Settings that the maker's GPUs do not have, or that exclude one another. */
const checkGpu = (name: string, { gpu }: PartialHost): readonly InventoryError[] => {
  if (typeof gpu !== 'object' || gpu.vendor === undefined) return [];
  const path = ['hosts', name, 'gpu'];
  if (gpu.vendor !== 'nvidia') {
    return (['driver', 'timeSlicing', 'mig'] as const)
      .filter((field) => field in gpu)
      .map((field) => inventoryKeyError([...path, field], `only NVIDIA's GPUs have this setting, not ${gpu.vendor}`));
  }
  return gpu.timeSlicing !== undefined && gpu.mig === 'mixed'
    ? [
        inventoryKeyError(
          [...path, 'timeSlicing'],
          'instances of `mig: mixed` are not shared; take it away, or write `mig: single`',
        ),
      ]
    : [];
};
const checkReservedTaints = (name: string, host: PartialHost): readonly InventoryError[] =>
  items(host.taints).flatMap((taint, index) => {
    const [key = ''] = taint.split(/[=:]/);
    const reason = controllerTaints.includes(key)
      ? `${key} is set and removed by Kubernetes itself; take it away`
      : taintIdentity(taint) === `${rolePrefix}control-plane:NoSchedule` && isControlPlaneOnly(host)
        ? `${taint} is set by kbs on every control plane that is no worker; take it away`
        : undefined;
    return reason === undefined ? [] : [inventoryError(['hosts', name, 'taints', index], reason)];
  });

const isControlPlaneOnly = (host: PartialHost): boolean =>
  allRead(host.roles) && hasRole(host, 'control-plane') && !hasRole(host, 'worker');

/** Taints by which the node lifecycle controller says how a node is: it removes them where that is not so. */
const controllerTaints = [
  'not-ready',
  'unreachable',
  'unschedulable',
  'memory-pressure',
  'disk-pressure',
  'pid-pressure',
  'network-unavailable',
].map((name) => `node.kubernetes.io/${name}`);

/** Key and effect, without the value: what Kubernetes tells taints apart by. */
export const taintIdentity = (taint: string): string => taint.replace(/=[^:]*/, '');
