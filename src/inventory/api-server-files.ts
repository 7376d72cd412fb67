import { z } from 'zod';
import type { Values } from './cluster.js';
import { anyText, httpsAddress, isMissing, withExample } from './formats.js';
import type { InventoryError, Path } from './inventory-error.js';
import { inventoryError, inventoryKeyError } from './inventory-error.js';
import { schemaErrors } from './schema-errors.js';
import { choice, keys, list, text } from './schema-fields.js';
import { type LocatedError, readSource } from './source.js';

/** The files of the owner that API servers read, by the names of their fields in the inventory. */
export type ApiServerFile = 'policy' | 'admission' | 'authentication';

/**
 * What such a file holds, or every mistake in it at its position there. An API server with a mistake in one of them
 * does not start, so the schema is as strict as the API server's own.
 */
export const parseApiServerFile = (
  file: ApiServerFile,
  content: string,
): { readonly value: Values } | { readonly errors: readonly LocatedError[] } => {
  const source = readSource(content);
  if (source.errors.length > 0 || source.value === undefined) return { errors: source.errors };
  const { schema, mistakes } = files[file];
  const read = schema.safeParse(source.value);
  const found = read.success
    ? mistakes(source.value as Values)
    : schemaErrors(read.error.issues, source, emptyFile(file));
  if (found.length > 0) return { errors: found.map(source.locate) };
  // The schema vouches for a map, and takes nothing out of it.
  return { value: source.value as Values };
};

const emptyFile = (file: ApiServerFile): string => `the file is empty; write ${nouns[file]}`;

const nouns: Readonly<Record<ApiServerFile, string>> = {
  policy: 'a Policy of audit.k8s.io/v1',
  admission: 'an AdmissionConfiguration',
  authentication: 'an AuthenticationConfiguration',
};

const textOf = (example: string) => text(anyText('a text', example), 'A text.');
const texts = (example: string) => list(textOf(example), `[${example}]`, 'Texts.');
/** A text that may be empty, or have several lines. */
const free = z.string({ error: ({ input }) => (isMissing(input) ? 'write a text' : 'is not a text') });
const yesOrNo = z.boolean({ error: () => 'is not true or false' });
const stages = list(
  choice(['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'], 'A stage.'),
  '[RequestReceived]',
  'Stages.',
).optional();

/** https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Policy */
const policy = keys(
  'Policy',
  {
    apiVersion: choice(['audit.k8s.io/v1'], 'The version.'),
    kind: choice(['Policy'], 'The kind.'),
    metadata: z.unknown().optional(),
    omitStages: stages,
    omitManagedFields: yesOrNo.optional(),
    rules: list(
      keys(
        'Rule',
        {
          level: choice(['None', 'Metadata', 'Request', 'RequestResponse'], 'A level.'),
          users: texts('system:kube-proxy').optional(),
          userGroups: texts('system:nodes').optional(),
          verbs: texts('watch').optional(),
          resources: list(
            keys(
              'Resources',
              { group: free.optional(), resources: texts('pods').optional(), resourceNames: texts('web').optional() },
              'Resources.',
            ),
            '[{ group: "", resources: [pods] }]',
            'Resources.',
          ).optional(),
          namespaces: list(free, '[kube-system]', 'Namespaces.').optional(),
          nonResourceURLs: texts('/healthz*').optional(),
          omitStages: stages,
          omitManagedFields: yesOrNo.optional(),
        },
        'A rule.',
      ),
      '[{ level: Metadata }]',
      'Rules.',
    ).min(1, { error: () => 'holds no rule; write one like { level: Metadata }' }),
  },
  'A policy.',
);

/** https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/#apiserver-config-k8s-io-v1-AdmissionConfiguration */
const admission = keys(
  'AdmissionConfiguration',
  {
    apiVersion: choice(['apiserver.config.k8s.io/v1'], 'The version.'),
    kind: choice(['AdmissionConfiguration'], 'The kind.'),
    plugins: list(
      keys(
        'Plugin',
        { name: textOf('PodSecurity'), path: free.optional(), configuration: z.unknown().optional() },
        'A plugin.',
      ),
      '[{ name: PodSecurity, configuration: … }]',
      'Plugins.',
    ),
  },
  'A configuration.',
);

const claimOrExpression = { claim: free.optional(), expression: free.optional() };
const prefixed = { ...claimOrExpression, prefix: free.optional() };
const issuerUrl = text(withExample(httpsAddress, 'https://id.example.com'), 'An address.');

/** https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/#apiserver-k8s-io-v1-AuthenticationConfiguration */
const authentication = keys(
  'AuthenticationConfiguration',
  {
    apiVersion: choice(['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1'], 'The version.'),
    kind: choice(['AuthenticationConfiguration'], 'The kind.'),
    anonymous: z.unknown().optional(),
    jwt: list(
      keys(
        'Authenticator',
        {
          issuer: keys(
            'Issuer',
            {
              url: issuerUrl,
              discoveryURL: issuerUrl.optional(),
              certificateAuthority: free.optional(),
              audiences: texts('kubernetes').min(1, { error: () => 'holds no audience; write one like kubernetes' }),
              audienceMatchPolicy: choice(['MatchAny'], 'How audiences match.').optional(),
              egressSelectorType: choice(['controlplane', 'cluster'], 'By which network.').optional(),
            },
            'An issuer.',
          ),
          claimValidationRules: list(
            keys('Rule', { ...claimOrExpression, requiredValue: free.optional(), message: free.optional() }, 'A rule.'),
            '[{ claim: hd, requiredValue: example.com }]',
            'Rules.',
          ).optional(),
          claimMappings: keys(
            'Mappings',
            {
              username: keys('Username', prefixed, 'The user name.'),
              groups: keys('Groups', prefixed, 'The groups.').optional(),
              uid: keys('UID', claimOrExpression, 'The UID.').optional(),
              extra: list(
                keys('Extra', { key: textOf('example.com/tenant'), valueExpression: free }, 'An attribute.'),
                '[{ key: example.com/tenant, valueExpression: claims.tenant }]',
                'Attributes.',
              ).optional(),
            },
            'Mappings.',
          ),
          userValidationRules: list(
            keys('Rule', { expression: free, message: free.optional() }, 'A rule.'),
            '[{ expression: "!user.username.startsWith(\'system:\')" }]',
            'Rules.',
          ).optional(),
        },
        'An authenticator.',
      ),
      '[{ issuer: …, claimMappings: … }]',
      'Authenticators.',
    ),
  },
  'A configuration.',
);

/** Of values that fit their schema: what one field says of another, as the API server has it at its start. */
const files: Readonly<
  Record<ApiServerFile, { readonly schema: z.ZodType; mistakes(value: Values): readonly InventoryError[] }>
> = {
  policy: { schema: policy, mistakes: (value) => policyMistakes(value as z.infer<typeof policy>) },
  admission: { schema: admission, mistakes: (value) => admissionMistakes(value as z.infer<typeof admission>) },
  authentication: {
    schema: authentication,
    mistakes: (value) => authenticationMistakes(value as z.infer<typeof authentication>),
  },
};

const policyMistakes = ({ rules }: z.infer<typeof policy>): readonly InventoryError[] =>
  rules.flatMap(({ nonResourceURLs = [], resources = [], namespaces = [] }, index) => {
    const path = ['rules', index];
    return [
      ...(nonResourceURLs.length > 0 && resources.length + namespaces.length > 0
        ? [inventoryKeyError([...path, 'nonResourceURLs'], 'stands beside resources or namespaces; write two rules')]
        : []),
      ...nonResourceURLs.flatMap((url, at) =>
        url === '*' || /^\/[^*]*\*?$/.test(url)
          ? []
          : [
              inventoryError(
                [...path, 'nonResourceURLs', at],
                `${url} is no path; write one that begins with / and has * only as its end`,
              ),
            ],
      ),
      ...resources.flatMap(({ group = '', resources: of = [], resourceNames = [] }, at) => [
        ...(group.includes('/')
          ? [
              inventoryError(
                [...path, 'resources', at, 'group'],
                `${group} has a version; leave out what follows the /`,
              ),
            ]
          : []),
        ...(resourceNames.length > 0 && of.length === 0
          ? [inventoryKeyError([...path, 'resources', at, 'resourceNames'], 'needs `resources` beside it')]
          : []),
      ]),
    ];
  });

/** What a path names is not on the control planes. */
const admissionMistakes = ({ plugins }: z.infer<typeof admission>): readonly InventoryError[] =>
  plugins.flatMap(({ path }, index) =>
    path === undefined || path === ''
      ? []
      : [
          inventoryKeyError(
            ['plugins', index, 'path'],
            'names a file that kbs does not bring to the hosts; write what it holds as `configuration`',
          ),
        ],
  );

const authenticationMistakes = ({ anonymous, jwt }: z.infer<typeof authentication>): readonly InventoryError[] => [
  ...(anonymous === undefined
    ? []
    : [
        inventoryKeyError(
          ['anonymous'],
          'cannot be set here: kbs lets anonymous requests reach health endpoints, and what `kubeadm join` begins with',
        ),
      ]),
  ...jwt.flatMap(({ issuer, claimMappings: { username, groups, uid } }, index) => {
    const path = ['jwt', index];
    const mappings = [...path, 'claimMappings'];
    const other = jwt.findIndex((each) => each.issuer.url === issuer.url);
    return [
      ...(other < index
        ? [inventoryError([...path, 'issuer', 'url'], `${issuer.url} is that of jwt[${other}] too`)]
        : []),
      ...(issuer.audiences.length > 1 && issuer.audienceMatchPolicy === undefined
        ? [
            inventoryKeyError(
              [...path, 'issuer', 'audiences'],
              'are several, which needs `audienceMatchPolicy: MatchAny` beside it',
            ),
          ]
        : []),
      ...mappingMistakes([...mappings, 'username'], username, true),
      ...(groups === undefined ? [] : mappingMistakes([...mappings, 'groups'], groups, true)),
      ...(uid === undefined ? [] : mappingMistakes([...mappings, 'uid'], uid, false)),
    ];
  }),
];

const mappingMistakes = (
  path: Path,
  mapping: {
    readonly claim?: string | undefined;
    readonly expression?: string | undefined;
    readonly prefix?: string | undefined;
  },
  hasPrefix: boolean,
): readonly InventoryError[] => {
  const { claim = '', expression = '', prefix } = mapping;
  if ((claim === '') === (expression === '')) return [inventoryKeyError(path, 'needs either `claim` or `expression`')];
  if (hasPrefix && claim !== '' && prefix === undefined) {
    return [inventoryKeyError([...path, 'claim'], 'needs `prefix` beside it, which may be an empty text')];
  }
  return prefix !== undefined && expression !== ''
    ? [inventoryKeyError([...path, 'prefix'], 'has no meaning beside `expression`')]
    : [];
};
