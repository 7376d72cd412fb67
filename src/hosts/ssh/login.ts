import type { AuthenticationType, AuthHandlerMiddleware } from 'ssh2';
import type { Identities } from './identities.js';
import { OfferedKey } from './offer.js';

/** How far a login has come. */
export interface Login {
  /** What the host would take next, as it last said; empty before it has said anything. */
  methods(): readonly string[];
  /** The key that the host took without letting the user in. */
  taken(): string | undefined;
}

/**
 * Offers every key once, in order. The first question is `none`, as ssh's is: the host's answer names the methods that
 * it takes, and does not count as a failure (MaxAuthTries in sshd_config(5)).
 *
 * ssh2 keeps the answer to an agent's key for itself, and every key here is one of an agent. So after a key that the host
 * took and that did not open the door, `none` asks what it wants now: where that is no key, it wants more than one method.
 */
export function inTurn(username: string, { offers }: Identities): Login & { readonly next: AuthHandlerMiddleware } {
  const left = offers.map((offer) => new OfferedKey(offer));
  let methods: readonly AuthenticationType[] | undefined;
  let offered: OfferedKey | undefined;
  let signed: OfferedKey | undefined;
  let taken: string | undefined;

  const next: AuthHandlerMiddleware = (allowed, _partial, give) => {
    // Absent before the first answer, whatever the type says.
    methods = (allowed as AuthenticationType[] | null) ?? undefined;
    if (signed && !methods?.includes('publickey')) taken = signed.name;
    signed = offered?.signed ? offered : undefined;
    offered = undefined;
    if (methods === undefined || signed) return give({ type: 'none', username });
    offered = methods.includes('publickey') ? left.shift() : undefined;
    if (offered) return give({ type: 'agent', username, agent: offered });
    // `false` ends the login; the type of `give` leaves it out.
    return give(false as never);
  };
  return { next, methods: () => methods ?? [], taken: () => taken };
}
