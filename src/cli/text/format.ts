/** A count with its noun: `1 host`, `3 hosts`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Milliseconds for people: `0.4s`, `12.3s`, `2m05s`. */
export function duration(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

/** The first few of a list and how many are left: `a, b, c and 7 more`. */
export function some(items: readonly string[], limit = 5): string {
  const rest = items.length - limit;
  return rest <= 0 ? items.join(', ') : `${items.slice(0, limit).join(', ')} and ${rest} more`;
}
