import type { Duplex } from 'node:stream';
import ssh2, { type CipherAlgorithm, type Client } from 'ssh2';
import type { Secret } from '../../secret.js';
import { messageOf } from '../message.js';
import { SecretNeeded } from '../secrets.js';
import type { HostKeyCheck } from './host-key.js';
import type { Identities } from './identities.js';
import { inTurn, type Login } from './login.js';

export interface HandshakeOptions {
  readonly user: string;
  readonly identities: Identities;
  /** A password for hosts that take one: a secret, or its name where it must be asked first. */
  readonly password: Secret | SecretNeeded | undefined;
  readonly hostKey: HostKeyCheck;
  /** Milliseconds. */
  readonly timeout: number;
  readonly keepalive: Keepalive;
}

/** A host that answers nothing for `interval` times `count` milliseconds, a little more, is gone. */
export interface Keepalive {
  readonly interval: number;
  readonly count: number;
}

/**
 * Makes a stream to an sshd an SSH connection: keys exchanged, host verified, user logged in. Rejects with the plain error, and
 * with what happened on the way: an agent that does not answer is no reason to stop, but may be the reason in the end.
 */
export function handshake(stream: Duplex, options: HandshakeOptions): Promise<Client> {
  const client = new ssh2.Client();
  const { hostKey } = options;
  return new Promise((resolve, reject) => {
    const remarks: string[] = [];
    const login = inTurn(options, (needed) => fail(needed));
    let exchanged = false;
    let learning: Promise<unknown> = Promise.resolve();
    const fail = (error: HandshakeError) => {
      if (error.level === 'agent' && !(error instanceof SecretNeeded))
        return void remarks.push(`ssh-agent: ${error.message}`);
      client.destroy();
      learning.then(() => reject(Object.assign(error, { remarks, exchanged, login })), reject);
    };
    client
      .on('error', fail)
      .on('close', () => fail(new Error('the host closed the connection')))
      .on('handshake', () => {
        exchanged = true;
        learning = hostKey.learn();
        learning.catch(() => {});
      })
      .on('ready', () => {
        learning.then(
          () => resolve(client),
          (error) => {
            client.end();
            reject(error);
          },
        );
      });
    try {
      client.connect({
        sock: stream,
        username: options.user,
        readyTimeout: options.timeout,
        keepaliveInterval: options.keepalive.interval,
        keepaliveCountMax: options.keepalive.count,
        hostVerifier: (key: Buffer) => hostKey.accepts(key),
        algorithms: { cipher: ciphers, serverHostKey: hostKey.algorithms },
        authHandler: login.next,
      });
    } catch (error) {
      fail(error instanceof Error ? error : new Error(messageOf(error)));
    }
  });
}

/** An error of ssh2's, and how far it had come. */
export interface HandshakeError extends Error {
  /** Where it arose. */
  readonly level?: string;
  /** What else went wrong before. */
  readonly remarks?: readonly string[];
  /** Whether the host had proved its key, so that the login had begun. */
  readonly exchanged?: boolean;
  readonly login?: Login;
}

/** Fastest first: AES-GCM needs no separate MAC, and every server CPU of the last ten years has instructions for it. */
const ciphers: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];
