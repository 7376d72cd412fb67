import { Failure } from '../failure.js';
import type { Asked, Grant } from './grant.js';
import { type Access, usersNamespace } from './users.js';

/** What is wrong with what the operator asked for, before any host is contacted: one Failure for each mistake. */
export const mistakesIn = ({ name, namespaces = [], groups = [] }: Omit<Asked, 'until'>): readonly Failure[] => [
  ...(isUserName(name)
    ? []
    : [
        new Failure('usage', `${name} is not a name for a user`, {
          next: 'use lower-case letters, digits, - and ., at most 63 of them, with a letter or digit at both ends',
        }),
      ]),
  ...namespaces.flatMap((namespace) => {
    if (!isLabel(namespace)) return [new Failure('usage', `${namespace} is not a name of a namespace`)];
    if (namespace !== usersNamespace) return [];
    const next = 'name a namespace with work of its own';
    return [new Failure('usage', `namespace ${namespace} holds the users themselves, and is given to none`, { next })];
  }),
  ...groups.flatMap((group) => {
    if (!/^[A-Za-z0-9][\w.:@/+-]{0,252}$/.test(group))
      return [new Failure('usage', `${group} is not a name for a group`)];
    if (!/^(system|kubeadm):/.test(group)) return [];
    return [
      new Failure('usage', `group ${group} is not given to people`, {
        why: [reasonFor(group)],
        next: 'the administrator has a kubeconfig of their own: kbs kubeconfig',
      }),
    ];
  }),
];

const reasonFor = (group: string): string =>
  group === 'system:masters'
    ? 'its members pass every check of the API server, and no binding takes that away again'
    : 'groups that begin with system: and kubeadm: belong to the cluster itself';

/** A name of a ServiceAccount that is the value of a label too: RFC 1123 labels with dots between. */
const isUserName = (name: string): boolean => name.length <= 63 && name.split('.').every(isLabel);

const isLabel = (text: string): boolean => text.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text);

/** What of the cluster is in the way of a grant. */
export const obstaclesTo = ({ name, namespaces }: Grant, { taken, ...access }: Access): readonly Failure[] => [
  ...(taken.includes(name)
    ? [
        new Failure('refused', `the name ${name} is taken`, {
          why: [`kbs did not make the ServiceAccount ${usersNamespace}/${name}`],
          next: 'choose another name',
        }),
      ]
    : []),
  ...namespaces
    .filter((namespace) => !access.namespaces.includes(namespace))
    .map(
      (namespace) =>
        new Failure('refused', `the cluster has no namespace ${namespace}`, {
          next: `make it first: kubectl create namespace ${namespace}`,
        }),
    ),
];

/** What the operator should know of a grant before the answer. */
export const warningsOf = (
  { name, role, namespaces, groups }: Grant,
  { rightsOfGroup }: Pick<Access, 'rightsOfGroup'>,
): readonly { readonly what: string; readonly next: string }[] => {
  const strong = groups.filter((group) =>
    rightsOfGroup(group).some((right) => right.role === 'cluster-admin' && right.namespace === undefined),
  );
  const place = namespaces.length === 0 ? 'everywhere' : `in ${namespaces.find((each) => each === 'kube-system')}`;
  return [
    ...(role !== 'view' && (namespaces.length === 0 || namespaces.includes('kube-system'))
      ? [
          {
            what: `${role} ${place} is as much as an administrator: it reads Secrets and acts as the ServiceAccounts there, those of the cluster's own controllers too`,
            next: `for less, name namespaces: --namespace NAME; what ${name} makes with such rights stays when ${name} is removed`,
          },
        ]
      : []),
    ...strong.map((group) => ({
      what: `group ${group} is bound to cluster-admin: ${name} becomes an administrator`,
      next: `see kubectl get clusterrolebindings -o wide, and leave the group out if that is not meant`,
    })),
  ];
};
