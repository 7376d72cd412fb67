import type { KeyObject } from 'node:crypto';

/** OpenSSH's own format of private keys: PROTOCOL.key of OpenSSH. */

const magic = 'openssh-key-v1\0';

/** The public half, in wire format, which such a file shows though a passphrase protects it; undefined for other formats. */
export function publicHalf(text: Buffer): Buffer | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text.toString('latin1')) ?? [];
  const data = Buffer.from(body ?? '', 'base64');
  if (data.toString('latin1', 0, magic.length) !== magic) return undefined;
  try {
    let at = magic.length;
    // Cipher, key derivation and its options.
    for (let skipped = 0; skipped < 3; skipped++) at += 4 + data.readUInt32BE(at);
    const size = data.readUInt32BE(at + 4);
    return data.subarray(at + 8, at + 8 + size);
  } catch {
    return undefined;
  }
}

/** An Ed25519 key in that format, without a passphrase. */
export function openSshPrivateKey(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const open = Buffer.from(x, 'base64url');
  const pair = Buffer.concat([field('ssh-ed25519'), field(open)]);
  // Two equal numbers, which tell the right passphrase from a wrong one.
  const check = Buffer.alloc(8);
  const secret = Buffer.concat([check, pair, field(Buffer.concat([Buffer.from(d, 'base64url'), open])), field('')]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const whole = Buffer.concat([
    Buffer.from(magic),
    field('none'),
    field('none'),
    field(''),
    number(1),
    field(pair),
    field(Buffer.concat([secret, padding])),
  ]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${whole.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

const field = (content: string | Buffer): Buffer =>
  Buffer.concat([number(Buffer.byteLength(content)), Buffer.from(content as Buffer)]);

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
