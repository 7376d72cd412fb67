/** The parts of a Pod that are read here. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
  };
  readonly status?: { readonly phase?: string };
}

/** The parts of a PodDisruptionBudget that are read here. */
export interface Budget {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly selector?: Selector };
  readonly status?: {
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
  };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A pod that has to go before its node may, and what keeps it. */
export interface PodToEvict {
  /** `namespace/name` */
  readonly pod: string;
  /** Fits behind "waits until". */
  readonly waitsUntil: string;
  /** Whether no controller makes it again on another node. */
  readonly unmanaged: boolean;
  /** The budgets that keep it, and would even if all their pods were healthy: `the PodDisruptionBudget shop/web (…)`. */
  readonly blockedBy: readonly string[];
}

/**
 * The pods of a node that a drain has to move, each with what it waits for. Pods of DaemonSets and of the kubelet's own
 * manifests belong to the node and go with it; pods that have ended are no loss.
 */
export const podsToEvict = (pods: readonly Pod[], budgets: readonly Budget[]): readonly PodToEvict[] =>
  pods.filter(mustMove).map((pod) => ({
    pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
    waitsUntil: reasonOf(pod, budgets),
    unmanaged: controllerOf(pod) === undefined,
    blockedBy: budgets.filter((budget) => selects(budget, pod) && neverAllows(budget)).map(budgetText),
  }));

/** A budget that wants every pod it selects to be healthy never allows an eviction. */
const neverAllows = ({ status }: Budget): boolean =>
  status?.desiredHealthy !== undefined &&
  status.expectedPods !== undefined &&
  status.expectedPods > 0 &&
  status.desiredHealthy >= status.expectedPods;

const mustMove = (pod: Pod): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined &&
  controllerOf(pod) !== 'DaemonSet' &&
  pod.status?.phase !== 'Succeeded' &&
  pod.status?.phase !== 'Failed';

const controllerOf = ({ metadata }: Pod): string | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller)?.kind;

const reasonOf = (pod: Pod, budgets: readonly Budget[]): string => {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (pod.metadata.deletionTimestamp !== undefined) return `${name} has ended`;
  const full = budgets.filter((budget) => selects(budget, pod) && (budget.status?.disruptionsAllowed ?? 0) === 0);
  if (full.length === 0) return `${name} is evicted`;
  return `${full.map(budgetText).join(' and ')} lets ${name} go`;
};

/** `the PodDisruptionBudget shop/web (2 of 2 pods that it wants are healthy)` */
const budgetText = ({ metadata, status }: Budget): string => {
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return `the PodDisruptionBudget ${metadata.namespace}/${metadata.name} (it wants ${desiredHealthy} healthy pods and has ${currentHealthy})`;
};

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/: an empty selector selects every pod, none selects no pod. */
const selects = ({ metadata, spec: { selector } }: Budget, pod: Pod): boolean => {
  if (selector === undefined || metadata.namespace !== pod.metadata.namespace) return false;
  const labels = pod.metadata.labels ?? {};
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
};
