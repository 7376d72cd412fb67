import { element, escaped } from './markup.js';
import type { Badge } from './model.js';
import { widthOf } from './text-width.js';

export interface TextStyle {
  readonly x: number;
  /** Of the base line. */
  readonly y: number;
  readonly size: number;
  readonly weight?: number;
  readonly mono?: boolean;
  readonly soft?: boolean;
  readonly anchor?: 'middle' | 'end';
  /** In the color of that badge. */
  readonly badge?: Badge;
}

export const text = (words: string, { x, y, size, weight, mono, soft, anchor, badge }: TextStyle): string => {
  const color = badge === undefined ? (soft ? 's' : 'i') : `x-${badge}`;
  return element(
    'text',
    {
      class: mono ? `${color} m` : color,
      x: round(x),
      y: round(y),
      'font-size': size,
      'font-weight': weight,
      'text-anchor': anchor,
    },
    escaped(words),
  );
};

/** A word on a colored background; `y` is its upper edge, and it is 18 pixels high. */
export const badgeShape = (
  badge: Badge,
  word: string,
  x: number,
  y: number,
): { readonly markup: string; readonly width: number } => {
  const width = badgeWidth(word);
  const background = element('rect', {
    class: `b-${badge}`,
    x: round(x),
    y: round(y),
    width: round(width),
    height: 18,
    rx: 9,
  });
  const label = text(word, { x: x + width / 2, y: y + 13, size: 11, weight: 600, anchor: 'middle', badge });
  return { markup: `${background}${label}`, width };
};

export const badgeWidth = (word: string): number => widthOf(word, 11, 'bold') + 16;

export const round = (n: number): number => Math.round(n * 10) / 10;
