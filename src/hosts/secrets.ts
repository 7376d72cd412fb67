import { Secret } from '../secret.js';

/**
 * What the operator alone knows: passphrases and passwords. Each comes from the environment (KBS_SSH_PASSPHRASE,
 * KBS_SSH_PASSWORD, KBS_SUDO_PASSWORD: one for all subjects) or is asked once on the terminal, one question at a time, and
 * is kept as long as the run. Undefined where the environment has none and no terminal is there, or where the answer was
 * empty.
 */
export interface OperatorSecrets {
  /** Asks where neither the environment nor an earlier question has given it. */
  get(kind: SecretKind, subject: string): Promise<Secret | undefined>;
  /** What `get` would give without a question; undefined where it would ask. */
  known(kind: SecretKind, subject: string): Promise<Secret | undefined> | undefined;
  /** Runs what asks on the terminal by itself, while no other question stands there. */
  inTurn<T>(ask: () => Promise<T>): Promise<T>;
  /**
   * Tests a password, on one host alone at first: where that one refuses it, no other host is given it, because a wrong
   * password may lock an account that all of them share. `test` says whether the host took it; where it throws, that says
   * nothing of the password.
   */
  prove(password: Secret, test: () => Promise<boolean>): Promise<'taken' | 'refused' | 'refused elsewhere'>;
}

/** The passphrase of a key, by its path; the password for the login or the sudo of a user, by name. */
export type SecretKind = 'passphrase' | 'login' | 'sudo';

/** Thrown where a login cannot go on without a secret: it is asked while no connection waits for the answer. */
export class SecretNeeded extends Error {
  readonly kind: SecretKind;
  readonly subject: string;

  constructor(kind: SecretKind, subject: string) {
    super(`${questions[kind]} ${subject} is needed`);
    this.kind = kind;
    this.subject = subject;
  }
}

const questions = { passphrase: 'Passphrase of', login: 'SSH password of', sudo: 'sudo password of' } as const;

const variables = {
  passphrase: 'KBS_SSH_PASSPHRASE',
  login: 'KBS_SSH_PASSWORD',
  sudo: 'KBS_SUDO_PASSWORD',
} as const;

/** Asks for a secret; undefined where there is no terminal to ask on. */
export type AskSecret = (question: string) => Promise<Secret | undefined>;

/** The secrets of one run. Only what is needed is asked. */
export function operatorSecrets(ask: AskSecret, environment: NodeJS.ProcessEnv = process.env): OperatorSecrets {
  const found = new Map<string, Promise<Secret | undefined>>();
  const proofs = new Map<Secret, Promise<boolean | undefined>>();
  let lastQuestion: Promise<unknown> = Promise.resolve();
  for (const variable of Object.values(variables)) {
    const given = environment[variable];
    if (given) found.set(variable, Promise.resolve(new Secret(given)));
  }

  const inTurn: OperatorSecrets['inTurn'] = (work) => {
    const answer = lastQuestion.then(work);
    lastQuestion = answer.catch(() => {});
    return answer;
  };
  const known: OperatorSecrets['known'] = (kind, subject) =>
    found.get(variables[kind]) ?? found.get(`${questions[kind]} ${subject}`);

  return {
    known,
    inTurn,
    get(kind, subject) {
      const question = `${questions[kind]} ${subject}`;
      const answer = known(kind, subject) ?? inTurn(() => ask(`${question}: `));
      found.set(question, answer);
      return answer;
    },
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
