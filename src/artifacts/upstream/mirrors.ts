/**
 * What stands in for a host of the internet: `dl.k8s.io` → `https://mirror.lan/k8s`. A mirror holds the same paths below its
 * address.
 */
export type Mirrors = Readonly<Record<string, string>>;

/** The address to ask for a published file. */
export const mirroredUrl = (url: string, mirrors: Mirrors): string => {
  const { host, pathname, search } = new URL(url);
  const mirror = mirrors[host];
  return mirror === undefined ? url : `${mirror.replace(/\/+$/, '')}${pathname}${search}`;
};

/** The address of a repository's API (https://github.com/opencontainers/distribution-spec): `…/v2/NAME`. */
export const repositoryUrl = (repository: string, mirrors: Mirrors): string => {
  const [host = '', ...path] = repository.split('/');
  const mirror = mirrors[host];
  if (mirror === undefined)
    return `https://${host === 'docker.io' ? 'registry-1.docker.io' : host}/v2/${path.join('/')}`;
  const { host: at, pathname } = new URL(mirror);
  const below = pathname.split('/').filter((word) => word !== '' && word !== 'v2');
  return `https://${[at, 'v2', ...below, ...path].join('/')}`;
};
