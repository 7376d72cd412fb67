import { createPrivateKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { Secret } from '../secret.js';
import type { Certificate, Subject } from './certificates.js';

/**
 * Issues one certificate as PEM, signed by `issuer`, or by itself where `issuer` is absent.
 * It follows RFC 5280 as far as `openssl verify -x509_strict` checks, and expires no later than its issuer.
 * Throws where the authority is not RSA.
 */
export const issue = ({ wanted, publicKey, issuer, signingKey, now, randomness }: CertificateRequest): string => {
  const parent = issuer === undefined ? undefined : forge.pki.certificateFromPem(issuer);
  const child = forge.pki.createCertificate();
  child.publicKey = forge.pki.publicKeyFromPem(publicKey);
  child.serialNumber = serialNumber(randomness);
  child.validity = validity(now, wanted.days, parent?.validity.notAfter);
  child.setSubject(attributes(wanted.subject));
  child.setIssuer((parent ?? child).subject.attributes);
  child.setExtensions([...(parent ? leafExtensions(wanted) : authorityExtensions()), ...identifiers(parent ?? child)]);
  child.sign(signer(child, signingKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(child).replaceAll('\r\n', '\n');
};

/** A certificate to be signed. */
export interface CertificateRequest {
  readonly wanted: Certificate;
  /** PEM of the key that the certificate is for. */
  readonly publicKey: string;
  /** PEM of the authority's certificate; absent for a self-signed certificate. */
  readonly issuer?: string;
  /** PEM of the private key that signs. */
  readonly signingKey: Secret;
  readonly now: Date;
  readonly randomness: Randomness;
}

/** The source of keys and serial numbers. */
export interface Randomness {
  /** RSA of 2048 bits. */
  keyPair(): Promise<KeyPair>;
  bytes(size: number): Buffer;
}

/** PEM: the public key as SubjectPublicKeyInfo, the private one as PKCS #1, in which kubeadm writes it. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: Secret;
}

/** Node's own randomness; it generates several keys at a time, in its thread pool. */
export const systemRandomness: Randomness = {
  async keyPair() {
    const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    return { publicKey, privateKey: new Secret(privateKey) };
  },
  bytes: (size) => randomBytes(size),
};

// The clocks of hosts may be behind this machine's; kubeadm allows the same.
const skewMs = 5 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;

const validity = (now: Date, days: number, limit: Date | undefined): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now.getTime() - skewMs),
  notAfter: new Date(Math.min(now.getTime() + days * dayMs, limit?.getTime() ?? Number.POSITIVE_INFINITY)),
});

/** 16 bytes, positive and without a leading zero byte, as DER requires of an INTEGER. */
const serialNumber = (randomness: Randomness): string => {
  const bytes = randomness.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
};

const attributes = ({ commonName, organization }: Subject): forge.pki.CertificateField[] => [
  ...(organization === undefined ? [] : [{ name: 'organizationName', value: organization }]),
  { name: 'commonName', value: commonName },
];

const authorityExtensions = (): object[] => [
  { name: 'basicConstraints', critical: true, cA: true },
  { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true, keyCertSign: true },
];

const leafExtensions = ({ usages, names }: Certificate): object[] => [
  { name: 'basicConstraints', critical: true, cA: false },
  { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
  { name: 'extKeyUsage', serverAuth: usages.includes('server'), clientAuth: usages.includes('client') },
  ...(names.length === 0 ? [] : [{ name: 'subjectAltName', altNames: names.map(generalName) }]),
];

/** GeneralName of RFC 5280: 7 is iPAddress, 2 is dNSName. */
const generalName = (name: string): object => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name });

// `keyIdentifier: true` would write the certificate's own identifier instead of its issuer's.
const identifiers = (parent: forge.pki.Certificate): object[] => [
  { name: 'subjectKeyIdentifier' },
  { name: 'authorityKeyIdentifier', keyIdentifier: subjectKeyIdentifier(parent) },
];

/** Raw bytes in a string. A certificate without the extension gets it from its key. */
const subjectKeyIdentifier = (certificate: forge.pki.Certificate): string => {
  const extension: { subjectKeyIdentifier?: string } | undefined = certificate.getExtension('subjectKeyIdentifier');
  if (extension?.subjectKeyIdentifier !== undefined) return forge.util.hexToBytes(extension.subjectKeyIdentifier);
  return certificate.generateSubjectKeyIdentifier().getBytes();
};

const signer = (certificate: forge.pki.Certificate, key: Secret): forge.pki.rsa.PrivateKey => {
  const privateKey = createPrivateKey(key.reveal());
  const rsa = {
    sign: (): string => {
      const bytes = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), 'binary');
      return sign('sha256', bytes, privateKey).toString('binary');
    },
  };
  // forge calls only `sign`; Node signs in 0.2 ms, forge itself in 16 ms.
  return rsa as unknown as forge.pki.rsa.PrivateKey;
};
