/**
 * The object without the properties whose value is undefined: an optional property of a type may be absent, and not
 * undefined (`exactOptionalPropertyTypes`). To be spread or to be given as it is.
 */
export const defined = <T extends object>(values: T): Defined<T> =>
  // The filter drops exactly what the type makes optional.
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;

type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
