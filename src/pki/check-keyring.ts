import { Secret } from '../secret.js';
import { checkAuthorities, type KeyringState, type MissingCertificate } from './authorities.js';
import { problemWith } from './certificate.js';
import { type Certificate, isAuthority } from './certificates.js';
import type { Pair } from './credentials.js';
import type { KeyringFiles } from './keyring-files.js';

/**
 * Compares what a keyring holds with what it should hold. Pure.
 * A leaf certificate that is missing, wrong or about to expire becomes a gap; damaged roots are thrown, see
 * `checkAuthorities`.
 */
export const checkKeyring = (
  files: KeyringFiles,
  wanted: readonly Certificate[],
  now: Date,
  directory: string,
): KeyringState => {
  const leaves = wanted.filter((certificate) => !isAuthority(certificate));
  const authorities = wanted.filter(isAuthority);
  const roots = checkAuthorities({ files, now, directory, inUse: holdsLeaf(files, authorities) }, authorities);
  const pairs = new Map(roots.pairs);
  const gaps = [...roots.gaps];
  for (const certificate of leaves) {
    const found = checkLeaf(files, certificate, pairs.get(certificate.issuer), now);
    if ('reason' in found) gaps.push(found);
    else pairs.set(certificate.path, found);
  }
  return { ...roots, pairs, gaps };
};

/** Roots are written before leaves: one leaf, even of a removed host, means that the roots are in use. */
const holdsLeaf = (files: KeyringFiles, authorities: readonly Certificate[]): boolean => {
  const roots = new Set(authorities.map(({ path }) => `${path}.crt`));
  return [...files.keys()].some((path) => path.endsWith('.crt') && !roots.has(path));
};

const checkLeaf = (
  files: KeyringFiles,
  certificate: Certificate,
  issuer: Pair | undefined,
  now: Date,
): Pair | MissingCertificate => {
  const pem = files.get(`${certificate.path}.crt`);
  const key = files.get(`${certificate.path}.key`);
  if (pem === undefined || issuer === undefined) return { certificate, reason: 'is missing' };
  if (key === undefined) return { certificate, reason: 'has no key' };
  if (!(pem instanceof Secret && key instanceof Secret)) return { certificate, reason: 'cannot be read' };
  const pair = { certificate: pem.reveal(), key };
  const fault = problemWith(pair, certificate, issuer.certificate, now);
  return fault === undefined ? pair : { certificate, reason: fault };
};
