import { X509Certificate } from 'node:crypto';

/**
 * The certificates of a PEM text, one after the other; empty where it has none. What stands around them, such as their
 * text form, is left out. Throws what the certificate says that cannot be read.
 */
export const certificatesIn = (text: string): string =>
  (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [])
    .map((block) => new X509Certificate(block).toString())
    .join('');
