/** Why a host cannot be what it is to be, and what to do about it. */
export interface FailedCheck {
  readonly what: string;
  readonly next: string;
}
