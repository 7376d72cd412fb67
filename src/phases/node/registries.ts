import type { Cluster, RegistryRule } from '../../inventory/cluster.js';
import type { FileResource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';

/** containerd reads these at every pull, so a change needs no restart. See containerd-registry-hosts in its documentation. */
export const registryFiles = ({ registries = [] }: Cluster): readonly FileResource[] => registries.flatMap(filesOf);

const filesOf = ({ name, mirrors, plainHttp, ca }: RegistryRule): readonly FileResource[] => {
  const isDefault = name === '*';
  const folder = `/etc/containerd/certs.d/${isDefault ? '_default' : name}`;
  // Docker Hub's images name another host than the one that has them.
  const host = name === 'docker.io' ? 'registry-1.docker.io' : name;
  const text = render('containerd-hosts.toml', {
    server: isDefault ? '' : tomlText(`${plainHttp ? 'http' : 'https'}://${host}`),
    ca: ca === undefined ? '' : tomlText(`${folder}/ca.crt`),
    mirrors: mirrors.map((url) => ({ url: tomlText(url), isPrefix: /\/v2(\/|$)/.test(url) })),
  });
  return [...(ca === undefined ? [] : [file(`${folder}/ca.crt`, ca)]), file(`${folder}/hosts.toml`, text)];
};

const file = (path: string, content: string): FileResource => ({ kind: 'file', path, content, mode: '0644' });

/** A basic string of TOML escapes as JSON does. */
const tomlText = (text: string): string => JSON.stringify(text);
