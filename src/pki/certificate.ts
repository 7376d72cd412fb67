import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Secret } from '../secret.js';
import { type Certificate, isAuthority, type Usage } from './certificates.js';
import type { Pair } from './credentials.js';

/** Leaf certificates with fewer days left than this are renewed. */
export const renewalDays = 30;

/**
 * Why a certificate must be replaced, as a clause that follows its name; `undefined` where it is valid.
 * `issuer` is the PEM of the authority that should have signed it; for an authority, its own.
 */
export const problemWith = (pair: Pair, wanted: Certificate, issuer: string, now: Date): string | undefined => {
  const certificate = parseCertificate(pair.certificate);
  if (certificate === undefined) return 'is not a readable certificate';
  const key = parsePrivateKey(pair.key);
  if (key === undefined) return 'has an unreadable key';
  if (!certificate.checkPrivateKey(key)) return 'does not belong to its key';
  const authority = new X509Certificate(issuer);
  return (
    expiryProblem(certificate, now) ??
    (isAuthority(wanted) ? authorityProblem(certificate) : leafProblem(certificate, wanted, authority, now))
  );
};

/** `undefined` where the text is not an X.509 certificate. */
export const parseCertificate = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
};

/** The SHA-256 digest of a certificate's DER form, in 64 lower-case hex digits. Throws where the text is none. */
export const fingerprintOf = (pem: string): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

/** `undefined` where the text is not an unencrypted private key. */
export const parsePrivateKey = (pem: Secret): KeyObject | undefined => {
  try {
    return createPrivateKey(pem.reveal());
  } catch {
    return undefined;
  }
};

/** Why a certificate is not valid at this time, as a clause that follows its name. */
export const expiryProblem = (certificate: X509Certificate, now: Date): string | undefined => {
  if (now.getTime() >= Date.parse(certificate.validTo)) return `expired on ${day(certificate.validTo)}`;
  if (now.getTime() < Date.parse(certificate.validFrom)) return `begins on ${day(certificate.validFrom)}`;
  return undefined;
};

/** Whole days until the certificate expires; negative after that. */
export const daysLeft = (certificate: X509Certificate, now: Date): number =>
  Math.floor((Date.parse(certificate.validTo) - now.getTime()) / (24 * 60 * 60 * 1000));

const authorityProblem = (certificate: X509Certificate): string | undefined =>
  certificate.ca ? undefined : 'is not an authority';

const leafProblem = (
  certificate: X509Certificate,
  wanted: Certificate,
  authority: X509Certificate,
  now: Date,
): string | undefined => {
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    return 'was issued by another authority';
  if (subjectOf(certificate) !== subjectOf(wanted)) return 'has another subject';
  if (usagesOf(certificate) !== usagesOf(wanted)) return 'has other usages';
  if (namesOf(certificate) !== namesOf(wanted)) return 'has other names';
  if (daysLeft(certificate, now) < renewalDays && !endsWithIssuer(certificate, authority))
    return `expires on ${day(certificate.validTo)}`;
  return undefined;
};

/** A new certificate would expire no later, so renewing gains nothing. */
const endsWithIssuer = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  Date.parse(certificate.validTo) >= Date.parse(authority.validTo);

const subjectOf = (certificate: X509Certificate | Certificate): string => {
  if (certificate instanceof X509Certificate) return certificate.subject.split('\n').sort().join('\n');
  const { commonName, organization } = certificate.subject;
  return organization === undefined ? `CN=${commonName}` : `CN=${commonName}\nO=${organization}`;
};

const usageIds: Readonly<Record<Usage, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

const usagesOf = (certificate: X509Certificate | Certificate): string => {
  // Node calls the extended key usages `keyUsage`, and leaves them undefined where there are none.
  if (certificate instanceof X509Certificate) return [...(certificate.keyUsage ?? [])].sort().join();
  return certificate.usages
    .map((usage) => usageIds[usage])
    .sort()
    .join();
};

const namesOf = (certificate: X509Certificate | Certificate): string => {
  if (certificate instanceof X509Certificate)
    return (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => canonical(name.slice(name.indexOf(':') + 1)))
      .sort()
      .join();
  return certificate.names.map(canonical).sort().join();
};

/** OpenSSL prints IPv6 addresses in full; a URL holds the short form of RFC 5952. */
const canonical = (name: string): string => (isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name);

const day = (date: string): string => new Date(date).toISOString().slice(0, 10);
