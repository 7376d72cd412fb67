/**
 * Whether two values are the same amount in the notation of Kubernetes resource quantities: `0.5` and `500m`, `1024Mi`
 * and `1Gi`. The API server keeps amounts in a form of its own.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export const sameQuantity = (one: unknown, other: unknown): boolean => {
  const amount = amountOf(one);
  return amount !== undefined && amount === amountOf(other);
};

/** In thousandths of a millionth, exactly: nano is the smallest unit. Undefined for what is no quantity. */
const amountOf = (value: unknown): bigint | undefined => {
  const match = /^([+-]?)(\d*)\.?(\d*)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$/.exec(String(value));
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const scaled = digits * factor(suffix);
  const amount = scaled / 10n ** BigInt(fraction.length);
  return sign === '-' ? -amount : amount;
};

const factor = (suffix: string): bigint => {
  const nano = 10n ** 9n;
  if (suffix.endsWith('i')) return nano * 1024n ** BigInt('KMGTPE'.indexOf(suffix.charAt(0)) + 1);
  if (/^[eE][+-]?\d/.test(suffix)) return powerOfTen(9 + Number(suffix.slice(1)));
  return powerOfTen(9 + (decimal[suffix] ?? 0));
};

const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

const powerOfTen = (exponent: number): bigint => (exponent < 0 ? 0n : 10n ** BigInt(exponent));
