import { defined } from '../defined.js';
import type { Operation } from '../engine/operation.js';
import { lines, raw, sh } from '../hosts/shell.js';
import type { ApiHost } from './api-host.js';
import {
  type Access,
  bindingName,
  expiryAnnotation,
  groupsName,
  identityOf,
  type Right,
  selfName,
  type User,
  userLabel,
  usersNamespace,
} from './users.js';

/** The access that a user is to have. */
export interface Grant {
  readonly name: string;
  /** One of Kubernetes' user-facing ClusterRoles. */
  readonly role: Role;
  /** None: everywhere. */
  readonly namespaces: readonly string[];
  readonly groups: readonly string[];
  /** Seconds since the epoch: when the new token ends. */
  readonly until: number;
}

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles */
export const roles = ['view', 'edit', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What the operator said; what was not said stays as it is, and a new user may view everything. */
export type Asked = Pick<Grant, 'name' | 'until'> & Partial<Pick<Grant, 'role' | 'namespaces' | 'groups'>>;

/** Fills in what was not said from what the user has. */
export const grantOf = ({ name, until, ...asked }: Asked, before: User | undefined): Grant => {
  const own = before?.rights.filter(({ own }) => own) ?? [];
  const [first] = own;
  const isEverywhere = own.some(({ namespace }) => namespace === undefined);
  return {
    name,
    until,
    role: asked.role ?? roles.find((role) => role === first?.role) ?? 'view',
    namespaces: unique(asked.namespaces ?? (isEverywhere ? [] : own.flatMap(({ namespace }) => namespace ?? []))),
    groups: unique(asked.groups ?? before?.groups ?? []),
  };
};

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/**
 * Gives a user exactly this access, beside what others gave. The new rights come before the old ones go, so that a user
 * who keeps some never lacks them. `affects` says what differs.
 */
export const grantOperation = (
  grant: Grant,
  before: User | undefined,
  { rightsOfGroup }: Pick<Access, 'rightsOfGroup'>,
  apiHost: ApiHost,
): Operation => {
  const { name } = grant;
  const objects = objectsOf(grant, before);
  const bytes = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const stale = staleOf(grant, before);
  const kubectl = raw(sh`${raw(apiHost.kubectl)} --request-timeout=60s`);
  return {
    name: 'grant',
    target: name,
    on: apiHost.at,
    script: lines(
      sh`head -c ${bytes.length} | ${kubectl} apply --server-side --force-conflicts --field-manager=kbs --validate=ignore -f - >/dev/null`,
      ...stale.map(({ kind, namespace, name: object }) =>
        namespace === undefined
          ? sh`${kubectl} delete ${kind} ${object} --ignore-not-found --wait=false >/dev/null`
          : sh`${kubectl} -n ${namespace} delete ${kind} ${object} --ignore-not-found --wait=false >/dev/null`,
      ),
    ),
    payloads: [{ bytes }],
    timeoutSeconds: 120,
    affects: [
      before?.created === undefined
        ? `creates ServiceAccount ${usersNamespace}/${name}`
        : `ServiceAccount ${usersNamespace}/${name} stays; its earlier tokens stay valid`,
      ...rightsTexts(grant, before),
      ...groupTexts(grant, before, rightsOfGroup),
      `issues a token that ends at ${timeText(grant.until)}`,
    ],
    resume: `run the same command again, or take all of it away: kbs users remove ${name}`,
    failure: { what: `${name} was not given access`, next: 'see how the API is: kbs status' },
  };
};

/**
 * Takes a user's access away: first the rights, so that the API servers refuse the next request, then the ServiceAccount,
 * with which its tokens end.
 */
export const revokeOperation = ({ name, rights, groups }: User, apiHost: ApiHost): Operation => {
  const kubectl = raw(sh`${raw(apiHost.kubectl)} --request-timeout=60s`);
  const foreign = rights.filter(({ own }) => !own);
  return {
    name: 'revoke',
    target: name,
    on: apiHost.at,
    script: lines(
      sh`${kubectl} delete rolebindings,clusterrolebindings,roles,clusterroles -A -l ${`${userLabel}=${name}`} --ignore-not-found --wait=false >/dev/null`,
      sh`${kubectl} -n ${usersNamespace} delete serviceaccount ${name} --ignore-not-found --wait=false >/dev/null`,
    ),
    timeoutSeconds: 120,
    affects: [
      ...rights.filter(({ own }) => own).map((right) => `takes away ${rightText(right)}`),
      ...groups.map((group) => `takes away group ${group}`),
      `deletes ServiceAccount ${usersNamespace}/${name}: its tokens end`,
      ...foreign.map(
        ({ binding }) => `${binding}, which kbs did not make, stays; it would serve another user of that name`,
      ),
    ],
    resume: 'run the same command again',
    failure: { what: `the access of ${name} was not taken away`, next: 'see how the API is: kbs status' },
  };
};

/** `view in namespace shop`, `edit everywhere`. */
export const rightText = ({ role, namespace }: Pick<Right, 'role' | 'namespace'>): string =>
  `${role} ${namespace === undefined ? 'everywhere' : `in namespace ${namespace}`}`;

/** RFC 3339, as the API server writes it. */
export const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

const rightsTexts = (grant: Grant, before: User | undefined): readonly string[] => {
  const wanted = wantedRights(grant);
  const own = before?.rights.filter(({ own }) => own) ?? [];
  const isAmong = (
    rights: readonly Pick<Right, 'role' | 'namespace'>[],
    { role, namespace }: Pick<Right, 'role' | 'namespace'>,
  ) => rights.some((each) => each.role === role && each.namespace === namespace);
  return [
    ...wanted.map((right) => `${isAmong(own, right) ? 'keeps' : 'gives'} ${rightText(right)}`),
    ...own.filter((right) => !isAmong(wanted, right)).map((right) => `takes away ${rightText(right)}`),
  ];
};

const groupTexts = (
  { groups }: Grant,
  before: User | undefined,
  rightsOfGroup: Access['rightsOfGroup'],
): readonly string[] => {
  const had = before?.groups ?? [];
  return [
    ...groups.map((group) => {
      const brings = rightsOfGroup(group).map(rightText);
      return `${had.includes(group) ? 'keeps' : 'gives'} group ${group}, which brings ${brings.length === 0 ? 'no right yet' : brings.join(', ')}`;
    }),
    ...had.filter((group) => !groups.includes(group)).map((group) => `takes away group ${group}`),
  ];
};

const wantedRights = ({ role, namespaces }: Grant): readonly Pick<Right, 'role' | 'namespace'>[] =>
  namespaces.length === 0 ? [{ role }] : namespaces.map((namespace) => ({ role, namespace }));

/** The objects that give the access. */
const objectsOf = (grant: Grant, before: User | undefined): readonly object[] => {
  const { name, role, namespaces, groups, until } = grant;
  const labels = { [userLabel]: name };
  const subjects = [{ kind: 'ServiceAccount', namespace: usersNamespace, name }];
  const object = (kind: string, object: string, namespace: string | undefined, rest: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: object, ...defined({ namespace }), labels },
    ...rest,
  });
  const binding = (name: string, namespace: string | undefined, kind: 'Role' | 'ClusterRole', role: string) =>
    object(namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding', name, namespace, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
      subjects,
    });
  const mayImpersonate = (resource: string, resourceNames: readonly string[]) => ({
    rules: [{ apiGroups: [''], resources: [resource], verbs: ['impersonate'], resourceNames }],
  });
  const expires = [timeText(until), before?.expires ?? ''].toSorted().at(-1);
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: usersNamespace } },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: usersNamespace, labels, annotations: { [expiryAnnotation]: expires } },
      automountServiceAccountToken: false,
    },
    ...(namespaces.length === 0 ? [undefined] : namespaces).map((namespace) =>
      binding(bindingName(name, role), namespace, 'ClusterRole', role),
    ),
    ...(groups.length === 0
      ? []
      : [
          // In this one namespace: everywhere, it would hold for ServiceAccounts of that name elsewhere.
          object('Role', selfName(name), usersNamespace, mayImpersonate('serviceaccounts', [name])),
          binding(selfName(name), usersNamespace, 'Role', selfName(name)),
          object('ClusterRole', groupsName(name), undefined, mayImpersonate('groups', groups)),
          binding(groupsName(name), undefined, 'ClusterRole', groupsName(name)),
        ]),
  ];
};

/** What kbs made for the user earlier and the grant does not want. */
const staleOf = (
  grant: Grant,
  before: User | undefined,
): readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[] => {
  const { name, role, namespaces, groups } = grant;
  const bindings = (before?.rights ?? [])
    .filter((right) => right.own)
    .filter((right) => {
      const isWanted = right.namespace === undefined ? namespaces.length === 0 : namespaces.includes(right.namespace);
      return !(isWanted && right.role === role);
    })
    .map(({ binding, namespace }) => {
      const [kind = '', ...rest] = binding.split('/');
      return { kind, name: rest.at(-1) ?? '', ...defined({ namespace }) };
    });
  if (groups.length > 0 || (before?.groups ?? []).length === 0) return bindings;
  return [
    ...bindings,
    ...['ClusterRoleBinding', 'ClusterRole'].map((kind) => ({ kind, name: groupsName(name) })),
    ...['RoleBinding', 'Role'].map((kind) => ({ kind, name: selfName(name), namespace: usersNamespace })),
  ];
};

/** What a kubeconfig says so that the groups count: the user impersonates itself, with them. */
export const impersonationOf = ({
  name,
  groups,
}: Grant): { readonly user: string; readonly groups: readonly string[] } | undefined =>
  groups.length === 0 ? undefined : { user: identityOf(name), groups };
