/** Whether one check of verify holds. */
export interface CheckResult {
  readonly proof: string;
  readonly name: string;
  readonly ok: boolean;
  /** What was seen; for a failure, why. */
  readonly detail: string;
  readonly ms: number;
}
