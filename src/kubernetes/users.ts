import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, type Script, sh } from '../hosts/shell.js';
import { Secret } from '../secret.js';
import type { ApiHost } from './api-host.js';
import { pkiDirectory } from './paths.js';

/**
 * People with access to the cluster. Each is a ServiceAccount in a namespace of kbs's own: all that a person can do hangs
 * on that one object, and ends with it. Rights are bindings whose subject it is. Groups are rights to impersonate them,
 * which a kubeconfig uses with `as-groups`. All that kbs makes has the label `kbs.dev/user`.
 * See docs/decisions/0022-people-are-service-accounts.md.
 */
export interface User {
  readonly name: string;
  /** Every binding that names the user, whatever made it. */
  readonly rights: readonly Right[];
  readonly groups: readonly string[];
  /** RFC 3339; absent where the ServiceAccount is gone and something of the user is left. */
  readonly created?: string;
  /** RFC 3339: when the last of the user's tokens ends; absent where none was issued. */
  readonly expires?: string;
}

/** A role, in one namespace or in all. */
export interface Right {
  /** Of a ClusterRole, `view`; of a Role, `Role/name`. */
  readonly role: string;
  /** Absent: everywhere. */
  readonly namespace?: string;
  /** The object that gives it: `RoleBinding/shop/kbs:user:anna:view`. */
  readonly binding: string;
  /** Whether kbs made it, so that it goes with the user. */
  readonly own: boolean;
}

/** What the cluster says about people. */
export interface Access {
  readonly users: readonly User[];
  /** ServiceAccounts of the namespace that kbs did not make. */
  readonly taken: readonly string[];
  readonly namespaces: readonly string[];
  /** What a group may do by bindings of the cluster's owner. */
  rightsOfGroup(group: string): readonly Right[];
  /** PEM of the cluster's CA, as the API host has it. */
  readonly authority: string;
  /** Seconds since the epoch, by the clock of the API host. */
  readonly now: number;
}

/** Where the ServiceAccounts of people are. */
export const usersNamespace = 'kbs-users';

/** The label of all that kbs makes for a user; its value is the name. */
export const userLabel = 'kbs.dev/user';

/** The annotation of a ServiceAccount with the time at which the last of its tokens ends. */
export const expiryAnnotation = 'kbs.dev/expires';

/** The user as the API server knows it. */
export const identityOf = (name: string): string => `system:serviceaccount:${usersNamespace}:${name}`;

/** Asks the API server. Throws `refused` where it does not say. */
export const accessOf = async ({ at, host, kubectl }: ApiHost, limits: RunOptions = {}): Promise<Access> => {
  const ask = raw(sh`${raw(kubectl)} --request-timeout=30s`);
  const script = asRecords(
    sh`${ask} -n ${usersNamespace} get serviceaccounts -o json`,
    sh`${ask} get clusterrolebindings,rolebindings -A -o json`,
    sh`${ask} get clusterroles -l ${userLabel} -o json`,
    sh`${ask} get namespaces -o ${'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'}`,
    sh`cat ${pkiDirectory}/ca.crt`,
    sh`date +%s`,
  );
  const { code, stdout, stderr } = await host.query(query(script), { timeout: 120_000, ...limits });
  if (code !== 0) {
    throw new Failure('refused', 'the API server does not say who has access', {
      where: { host: at.name },
      why: lastLines(stderr, 3),
      next: 'see how it is: kbs status',
    });
  }
  return parseAccess(splitRecords(stdout));
};

/** Reads the outputs of that script, one text each. */
export const parseAccess = ([accounts, bindings, roles, namespaces, authority, now]: readonly string[]): Access => {
  const [all, bound] = [itemsOf(accounts), itemsOf(bindings)];
  const own = all.filter((account) => nameIn(account) !== undefined);
  const rights = (is: (subject: Subject) => boolean) =>
    bound.filter(({ subjects = [] }) => subjects.some(is)).map(rightOf);
  const groups = groupsIn(itemsOf(roles));
  // What is left of a user whose ServiceAccount was deleted by hand would serve a new one of that name.
  const names = new Set([...own, ...bound, ...itemsOf(roles)].flatMap((each) => nameIn(each) ?? []));
  return {
    users: [...names].toSorted().map((name) => {
      const account = own.find(({ metadata }) => metadata.name === name);
      const expires = account?.metadata.annotations?.[expiryAnnotation];
      return {
        name,
        rights: rights((subject) => isAccount(subject, name)).filter(({ binding }) => !isForGroups(binding, name)),
        groups: groups.get(name) ?? [],
        ...defined({ created: account?.metadata.creationTimestamp, expires }),
      };
    }),
    taken: all.filter((account) => !own.includes(account)).map(({ metadata }) => metadata.name),
    namespaces: (namespaces ?? '').split('\n').filter(Boolean),
    rightsOfGroup: (group) => rights(({ kind, name }) => kind === 'Group' && name === group),
    authority: authority?.trim() ?? '',
    now: Number(now),
  };
};

/** The part of an object that is read here. */
interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly Subject[];
  readonly rules?: readonly { readonly resources?: readonly string[]; readonly resourceNames?: readonly string[] }[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** What the API server gives is what its documentation says. */
const itemsOf = (json = '{"items":[]}'): readonly Item[] =>
  (JSON.parse(json) as { readonly items: readonly Item[] }).items;

const nameIn = ({ metadata }: Item): string | undefined => metadata.labels?.[userLabel];

const isAccount = ({ kind, namespace, name }: Subject, user: string): boolean =>
  kind === 'ServiceAccount' && namespace === usersNamespace && name === user;

const rightOf = (binding: Item): Right => {
  const { kind, metadata, roleRef } = binding;
  const role = roleRef?.kind === 'Role' ? `Role/${roleRef.name}` : (roleRef?.name ?? '');
  return {
    role,
    ...defined({ namespace: metadata.namespace }),
    binding: [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/'),
    own: nameIn(binding) !== undefined,
  };
};

const groupsIn = (roles: readonly Item[]): ReadonlyMap<string, readonly string[]> =>
  new Map(
    roles.flatMap((role) => {
      const name = nameIn(role);
      const names = (role.rules ?? []).flatMap(({ resources = [], resourceNames = [] }) =>
        resources.includes('groups') ? resourceNames : [],
      );
      return name === undefined ? [] : [[name, names] as const];
    }),
  );

const isForGroups = (binding: string, user: string): boolean =>
  [`RoleBinding/${usersNamespace}/${selfName(user)}`, `ClusterRoleBinding/${groupsName(user)}`].includes(binding);

/** The Role and RoleBinding by which a user may impersonate itself, which is how a client asks for groups. */
export const selfName = (user: string): string => `kbs:user:${user}:self`;

/** The ClusterRole and ClusterRoleBinding with the groups of a user. */
export const groupsName = (user: string): string => `kbs:user:${user}:groups`;

/** The binding that gives a user a role. */
export const bindingName = (user: string, role: string): string => `kbs:user:${user}:${role}`;

/** A token, and when it ends: RFC 3339. */
export interface IssuedToken {
  readonly token: Secret;
  readonly expires: string;
}

/**
 * Asks for a token that ends at `until`, seconds since the epoch. The API server keeps no copy of it, so this changes
 * nothing there. Throws `refused` where it gives none.
 */
export const issueToken = (
  name: string,
  until: number,
  apiHost: ApiHost,
  limits: RunOptions = {},
): Promise<IssuedToken> =>
  tokenOf(
    { namespace: usersNamespace, name },
    {
      lifetime: sh`$(( ${until} - $(date +%s) ))s`,
      next: 'run the same command again: the rights are there, and only the token is missing',
    },
    apiHost,
    limits,
  );

/** The same for any ServiceAccount. `lifetime` as kubectl takes it, such as `3600s`. */
export const tokenOf = async (
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { lifetime, next }: { readonly lifetime: Script; readonly next: string },
  { at, host, kubectl }: ApiHost,
  limits: RunOptions = {},
): Promise<IssuedToken> => {
  const format = 'jsonpath={.status.expirationTimestamp} {.status.token}';
  const { code, stdout, stderr } = await host.query(
    query(
      sh`${raw(kubectl)} --request-timeout=30s -n ${namespace} create token ${name} --duration=${raw(lifetime)} -o ${format}`,
    ),
    { timeout: 60_000, ...limits },
  );
  const [expires = '', token = ''] = stdout.trim().split(' ');
  if (code === 0 && token !== '') return { token: new Secret(token), expires };
  throw new Failure('refused', `the API server gives ${name} no token`, {
    where: { host: at.name },
    why: lastLines(stderr, 3),
    next,
  });
};
