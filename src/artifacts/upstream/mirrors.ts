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
  return `https://${[at, 'v2', ...below(pathname), ...path].join('/')}`;
};

/** A published image as a container runtime pulls it, without its tag: `mirror.lan/hub/NAME`. */
export const mirroredRepository = (repository: string, mirrors: Mirrors): string => {
  const [host = '', ...path] = repository.split('/');
  const mirror = mirrors[host];
  if (mirror === undefined) return repository;
  const { host: at, pathname } = new URL(mirror);
  return [at, ...below(pathname), ...path].join('/');
};

/** A registry's API begins with /v2, also where a mirror's address says so. */
const below = (pathname: string): readonly string[] =>
  pathname.split('/').filter((word) => word !== '' && word !== 'v2');
