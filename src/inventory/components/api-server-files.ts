import type { z } from 'zod';
import type { Values } from '../cluster.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError, inventoryKeyError } from '../inventory-error.js';
import { admission, authentication, policy } from '../schema/api-server.js';
import { schemaErrors } from '../schema/errors.js';
import { type InventorySource, type LocatedError, readSource } from '../source.js';

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
  const found = mistakesIn[file](source);
  if (found.length > 0) return { errors: found.map(source.locate) };
  // The schema vouches for a map, and takes nothing out of it.
  return { value: source.value as Values };
};

const mistakesIn: Readonly<Record<ApiServerFile, (source: InventorySource) => readonly InventoryError[]>> = {
  policy: (source) => mistakes(source, 'a Policy of audit.k8s.io/v1', policy, policyMistakes),
  admission: (source) => mistakes(source, 'an AdmissionConfiguration', admission, admissionMistakes),
  authentication: (source) =>
    mistakes(source, 'an AuthenticationConfiguration', authentication, authenticationMistakes),
};

/** `fitting`: of a value that fits the schema, what one field says of another, as the API server has it at its start. */
const mistakes = <T>(
  source: InventorySource,
  noun: string,
  schema: z.ZodType<T>,
  fitting: (value: T) => readonly InventoryError[],
): readonly InventoryError[] => {
  const read = schema.safeParse(source.value);
  return read.success
    ? fitting(read.data)
    : schemaErrors(read.error.issues, source, `the file is empty; write ${noun}`);
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
