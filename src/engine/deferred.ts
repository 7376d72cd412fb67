/** A promise that is resolved by a call of `resolve`, from outside of the code that waits for it. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

export const deferred = (): Deferred => {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};
