/**
 * A failure that a person can act on. Everything that kbs refuses or that a host refuses ends as one of these;
 * any other error is a bug of ours and exits 1.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly where: Where;
  readonly why: readonly string[];
  readonly next: string | undefined;

  constructor(code: FailureCode, what: string, details: Details = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.where = details.where ?? {};
    this.why = details.why ?? [];
    this.next = details.next;
  }

  /** The process exit status that this failure asks for. */
  get exit(): number {
    return exits[this.code];
  }
}

/** Several failures found together, reported together; its exit status is that of the first. */
export class Failures extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(failures.map((failure) => failure.message).join('\n'));
    this.name = 'Failures';
    this.failures = failures;
  }

  get exit(): number {
    return this.failures[0]?.exit ?? exits.bug;
  }
}

/** The failures that an error stands for; none where it is no failure but a bug. */
export const failuresIn = (error: unknown): readonly Failure[] => {
  if (error instanceof Failures) return error.failures;
  return error instanceof Failure ? [error] : [];
};

export interface Details {
  readonly where?: Where;
  /** Evidence, most often the last lines of a command's stderr. */
  readonly why?: readonly string[];
  /** What the reader should do next, as a sentence or a command. */
  readonly next?: string;
  readonly cause?: unknown;
}

export interface Where {
  readonly host?: string;
  /** Where kbs tried to reach the host, without the port. */
  readonly address?: string;
  readonly phase?: string;
  readonly resource?: string;
  readonly command?: string;
  /** `file:line:column` of an input file. */
  readonly position?: string;
}

/** The exit codes of the command line, by the name of what happened. */
export const exits = {
  bug: 1,
  usage: 2,
  inventory: 3,
  preflight: 4,
  unreachable: 5,
  refused: 6,
  timeout: 7,
  partial: 8,
  locked: 9,
  pending: 10,
  interrupted: 130,
} as const;

export type FailureCode = keyof typeof exits;

/** A Failure as plain data: for events, journals and JSON. */
export interface Problem {
  readonly code: string;
  readonly what: string;
  readonly where: Readonly<Record<string, string>>;
  readonly why: readonly string[];
  readonly next?: string;
}

export const toProblem = (failure: Failure): Problem => ({
  code: failure.code,
  what: failure.message,
  where: { ...failure.where },
  why: failure.why,
  ...(failure.next === undefined ? {} : { next: failure.next }),
});
