import type { Cluster, RegistryRule } from '../../inventory/cluster.js';
import type { Credentials } from '../../pki/credentials.js';
import type { FileResource } from '../../resources/resource.js';
import { Secret } from '../../secret.js';
import { render } from '../../templates/render.js';

/**
 * containerd reads these at every pull, so a change needs no restart. See containerd-registry-hosts in its documentation.
 * Credentials are a header: containerd sends it with each request to the host, and to what gives out tokens for it.
 */
export const registryFiles = (
  { registries = [] }: Pick<Cluster, 'registries'>,
  credentials: Pick<Credentials, 'registryPassword'>,
): readonly FileResource[] => registries.flatMap((rule) => filesOf(rule, registries, credentials));

const filesOf = (
  rule: RegistryRule,
  all: readonly RegistryRule[],
  credentials: Pick<Credentials, 'registryPassword'>,
): readonly FileResource[] => {
  const { name, mirrors, plainHttp, ca } = rule;
  const isDefault = name === '*';
  const folder = `/etc/containerd/certs.d/${isDefault ? '_default' : name}`;
  // Docker Hub's images name another host than the one that has them.
  const host = name === 'docker.io' ? 'registry-1.docker.io' : name;
  const authOf = (url: string) => all.find((each) => each.auth && each.name === new URL(url).host);
  const authorization = (of: RegistryRule | undefined) =>
    of?.auth === undefined ? '' : tomlText(basic(of.auth.username, credentials.registryPassword(of.name)));
  const text = render('containerd-hosts.toml', {
    server: isDefault ? '' : tomlText(`${plainHttp ? 'http' : 'https'}://${host}`),
    ca: ca === undefined ? '' : tomlText(`${folder}/ca.crt`),
    authorization: authorization(rule),
    mirrors: mirrors.map((url) => ({
      url: tomlText(url),
      isPrefix: /\/v2(\/|$)/.test(url),
      authorization: authorization(authOf(url)),
    })),
  });
  const isSecret = rule.auth !== undefined || mirrors.some((url) => authOf(url) !== undefined);
  const path = `${folder}/hosts.toml`;
  return [
    ...(ca === undefined ? [] : [file(`${folder}/ca.crt`, ca)]),
    isSecret ? { kind: 'file', path, content: new Secret(text), mode: '0600' } : file(path, text),
  ];
};

/** RFC 7617. */
const basic = (username: string, password: Secret): string =>
  `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;

const file = (path: string, content: string): FileResource => ({ kind: 'file', path, content, mode: '0644' });

/** A basic string of TOML escapes as JSON does. */
const tomlText = (text: string): string => JSON.stringify(text);
