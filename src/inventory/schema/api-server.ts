import { z } from 'zod';
import { anyText, httpsAddress, isMissing, withExample } from '../formats.js';
import { choice, keys, list, text } from './fields.js';

/*
 * The three files of the owner that API servers read. Their descriptions are in Kubernetes' own reference, and no reader of
 * ours sees those that the fields have here.
 */

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
export const policy = keys(
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
export const admission = keys(
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
export const authentication = keys(
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
