import type {
  AuthenticationType,
  AuthHandlerMiddleware,
  KeyboardInteractiveAuthMethod,
  PasswordAuthMethod,
} from 'ssh2';
import { Secret } from '../../secret.js';
import { SecretNeeded } from '../secrets.js';
import type { Identities } from './identities.js';
import { OfferedKey } from './offer.js';

/** How far a login has come. */
export interface Login {
  /** What the host would take next, as it last said; empty before it has said anything. */
  methods(): readonly string[];
  /** The key that the host took without letting the user in. */
  taken(): string | undefined;
  /** Whether it refused the password. */
  passwordRefused(): boolean;
}

export interface LoginOptions {
  readonly user: string;
  readonly identities: Identities;
  readonly password: Secret | SecretNeeded | undefined;
}

/**
 * Offers every key once, in order, and then the password, where the host takes one. The first question is `none`, as ssh's is: the host's answer names the methods that
 * it takes, and does not count as a failure (MaxAuthTries in sshd_config(5)).
 *
 * ssh2 keeps the answer to an agent's key for itself, and every key here is one of an agent. So after a key that the host
 * took and that did not open the door, `none` asks what it wants now: where that is no key, it wants more than one method.
 */
export function inTurn(
  { user: username, identities, password }: LoginOptions,
  need: (secret: SecretNeeded) => void,
): Login & { readonly next: AuthHandlerMiddleware } {
  const left = identities.offers.map((offer) => new OfferedKey(offer));
  let methods: readonly AuthenticationType[] = [];
  let isAsked = false;
  let offered: OfferedKey | undefined;
  let signed: OfferedKey | undefined;
  let taken: string | undefined;
  let passwordGiven = false;

  const next: AuthHandlerMiddleware = (allowed, _partial, give) => {
    // Absent before the first answer, whatever the type says.
    methods = (allowed as AuthenticationType[] | null) ?? [];
    if (signed && !methods.includes('publickey')) taken = signed.name;
    signed = offered?.signed ? offered : undefined;
    offered = undefined;
    if (!isAsked || signed) {
      isAsked = true;
      return give({ type: 'none', username });
    }
    offered = methods.includes('publickey') ? left.shift() : undefined;
    if (offered) return give({ type: 'agent', username, agent: offered });
    const method = passwordGiven ? undefined : passwordMethods.find((each) => methods.includes(each));
    if (method && password instanceof SecretNeeded) return need(password);
    if (method && password instanceof Secret) {
      passwordGiven = true;
      return give(withPassword(method, username, password));
    }
    // `false` ends the login; the type of `give` leaves it out.
    return give(false as never);
  };
  return { next, methods: () => methods, taken: () => taken, passwordRefused: () => passwordGiven };
}

/** One of them: a second try with the same password could lock the account. */
const passwordMethods = ['password', 'keyboard-interactive'] as const;

const withPassword = (
  type: (typeof passwordMethods)[number],
  username: string,
  password: Secret,
): PasswordAuthMethod | KeyboardInteractiveAuthMethod => {
  if (type === 'password') return { type, username, password: password.reveal() };
  let answered = false;
  return {
    type,
    username,
    prompt(_name, _instructions, _language, prompts, finish) {
      // More than one hidden question is about more than a password.
      const [prompt] = prompts;
      const answers = !answered && prompts.length === 1 && !prompt?.echo ? [password.reveal()] : prompts.map(() => '');
      answered ||= prompts.length > 0;
      finish(answers);
    },
  };
};
