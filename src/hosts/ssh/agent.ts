import ssh2, { type ParsedKey } from 'ssh2';
import { messageOf } from '../message.js';
import type { Offer } from './offer.js';

/** What an ssh-agent holds. */
export interface Agent {
  readonly offers: readonly Offer[];
  /** How asking it went, for the reader of a failure. */
  readonly remark: string;
}

/** Asks the agent at a socket for its keys, in its order. One that does not answer holds none, and the remark says so. */
export async function askAgent(socket: string): Promise<Agent> {
  const agent = new ssh2.OpenSSHAgent(socket);
  try {
    const keys = await new Promise<readonly ParsedKey[]>((resolve, reject) => {
      agent.getIdentities((error, found) => (error ? reject(error) : resolve((found ?? []) as ParsedKey[])));
    });
    return { offers: keys.map((key) => offer(agent, key)), remark: `tried the keys of the ssh-agent at ${socket}` };
  } catch (error) {
    return { offers: [], remark: `ssh-agent: ${messageOf(error)}` };
  }
}

const offer = (agent: InstanceType<typeof ssh2.OpenSSHAgent>, key: ParsedKey): Offer => ({
  name: `the key ${key.comment} of the ssh-agent`,
  key,
  sign: (data, hash) =>
    new Promise((resolve, reject) => {
      const give = (error?: Error | null, signature?: Buffer) =>
        signature ? resolve(signature) : reject(error ?? new Error('it gave no signature'));
      if (hash === undefined) agent.sign(key, data, give);
      else agent.sign(key, data, { hash }, give);
    }),
});
