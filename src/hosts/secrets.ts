import { Secret } from '../secret.js';

/**
 * What the operator alone knows: passphrases and passwords. Each comes from the environment or is asked once on the
 * terminal, one question at a time, and is kept as long as the run. Undefined where the environment has none and no
 * terminal is there, or where the answer was empty.
 */
export interface OperatorSecrets {
  /** Of a private key, by its path. From KBS_SSH_PASSPHRASE. */
  passphrase(path: string): Promise<Secret | undefined>;
  /** For the login of a user. From KBS_SSH_PASSWORD. */
  loginPassword(user: string): Promise<Secret | undefined>;
  /** For the sudo of a user. From KBS_SUDO_PASSWORD. */
  sudoPassword(user: string): Promise<Secret | undefined>;
  /**
   * Tests a password, on one host alone at first: where that one refuses it, no other host is given it, because a wrong
   * password may lock an account that all of them share. `test` says whether the host took it; where it throws, that says
   * nothing of the password.
   */
  prove(password: Secret, test: () => Promise<boolean>): Promise<'taken' | 'refused' | 'refused elsewhere'>;
}

/** Asks for a secret; undefined where there is no terminal to ask on. */
export type AskSecret = (question: string) => Promise<Secret | undefined>;

/** The secrets of one run. Only what is needed is asked. */
export function operatorSecrets(ask: AskSecret, environment: NodeJS.ProcessEnv = process.env): OperatorSecrets {
  const known = new Map<string, Promise<Secret | undefined>>();
  const proofs = new Map<Secret, Promise<boolean | undefined>>();
  let lastQuestion: Promise<unknown> = Promise.resolve();

  const once = (key: string, find: () => Promise<Secret | undefined>): Promise<Secret | undefined> => {
    const found = known.get(key) ?? find();
    known.set(key, found);
    return found;
  };
  const askInTurn = (question: string): Promise<Secret | undefined> => {
    const answer = lastQuestion.then(() => ask(question));
    lastQuestion = answer.catch(() => {});
    return answer;
  };
  const find = (variable: string, question: string): Promise<Secret | undefined> => {
    const given = environment[variable];
    return given ? once(variable, async () => new Secret(given)) : once(question, () => askInTurn(question));
  };

  return {
    passphrase: (path) => find('KBS_SSH_PASSPHRASE', `Passphrase of ${path}: `),
    loginPassword: (user) => find('KBS_SSH_PASSWORD', `SSH password of ${user}: `),
    sudoPassword: (user) => find('KBS_SUDO_PASSWORD', `sudo password of ${user}: `),
    async prove(password, test) {
      const first = proofs.get(password);
      if (first !== undefined && (await first) === false) return 'refused elsewhere';
      const testing = test();
      if (first === undefined)
        proofs.set(
          password,
          testing.catch(() => undefined),
        );
      return (await testing) ? 'taken' : 'refused';
    },
  };
}
