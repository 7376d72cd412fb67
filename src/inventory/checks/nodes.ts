import type { Draft, DraftHost } from '../draft.js';
import { allRead, entries, hostsOf, items, runsPods } from '../draft.js';
import { complaint, labelKey } from '../formats.js';
import type { Mistake } from '../mistake.js';
import { mistake, mistakeInKey } from '../mistake.js';

/** What only Kubernetes nodes have: labels, taints, GPUs and pods. */
export const checkNodes = (draft: Draft): readonly Mistake[] =>
  hostsOf(draft).flatMap(([name, host]) => [
    ...checkRepeatedRoles(name, host),
    ...checkNodeFields(name, host),
    ...checkLabelKeys(name, host),
    ...checkRepeatedTaints(name, host),
  ]);

const checkRepeatedRoles = (name: string, host: DraftHost): readonly Mistake[] => {
  const roles = items(host.roles);
  return roles.flatMap((role, index) =>
    roles.indexOf(role) < index
      ? [mistake(['hosts', name, 'roles', index], `${role} is there twice; once is enough`)]
      : [],
  );
};

const checkNodeFields = (name: string, host: DraftHost): readonly Mistake[] =>
  !allRead(host.roles) || items(host.roles).length === 0 || runsPods(host)
    ? []
    : (['podCIDR', 'gpu', 'labels', 'taints'] as const)
        .filter((field) => field in host)
        .map((field) =>
          mistakeInKey(
            ['hosts', name, field],
            'only control planes and workers are Kubernetes nodes; take it away, or add such a role',
          ),
        );

const checkLabelKeys = (name: string, host: DraftHost): readonly Mistake[] =>
  entries(host.labels)
    .filter(([key]) => !labelKey.accepts(key))
    .map(([key]) => mistakeInKey(['hosts', name, 'labels', key], `the key ${complaint(labelKey, key)}`));

/** Kubernetes refuses a node with two taints of the same key and effect. */
const checkRepeatedTaints = (name: string, host: DraftHost): readonly Mistake[] => {
  const taints = items(host.taints);
  const seen = taints.map(taintIdentity);
  return taints.flatMap((taint, index) =>
    seen.indexOf(seen[index] ?? '') < index
      ? [
          mistake(
            ['hosts', name, 'taints', index],
            `${taint} repeats the key and effect of an earlier taint; keep one of them`,
          ),
        ]
      : [],
  );
};

/** Key and effect, without the value: what Kubernetes tells taints apart by. */
export const taintIdentity = (taint: string): string => taint.replace(/=[^:]*/, '');
