import type { Badge } from './model.js';

/** Background and text; their contrast is that of WCAG AA, at least 4.5 to 1. */
export interface ColorPair {
  readonly fill: string;
  readonly text: string;
}

export type Mode = 'light' | 'dark';

export const badgeColors: Readonly<Record<Badge, Readonly<Record<Mode, ColorPair>>>> = {
  'control-plane': { light: { fill: '#e3ebff', text: '#1f4bb0' }, dark: { fill: '#1c2f57', text: '#a9c5ff' } },
  'load-balancer': { light: { fill: '#fdebd8', text: '#8f4200' }, dark: { fill: '#45290f', text: '#ffc48f' } },
  dns: { light: { fill: '#f0e6fb', text: '#6c33a3' }, dark: { fill: '#35214c', text: '#d9b8ff' } },
  router: { light: { fill: '#e6eaef', text: '#3d4a5c' }, dark: { fill: '#293341', text: '#c3cedb' } },
  worker: { light: { fill: '#def3e7', text: '#14633d' }, dark: { fill: '#15372a', text: '#8fe0b6' } },
  gpu: { light: { fill: '#fce3ed', text: '#99194f' }, dark: { fill: '#481a2f', text: '#ffabc9' } },
};

/** The colors of everything that is not a badge. */
export const surface: Readonly<
  Record<Mode, Readonly<Record<'page' | 'card' | 'tile' | 'edge' | 'wire' | 'ink' | 'soft', string>>>
> = {
  light: {
    page: '#f4f6f8',
    card: '#ffffff',
    tile: '#f8fafc',
    edge: '#d7dde5',
    wire: '#8592a3',
    ink: '#16202c',
    soft: '#52606f',
  },
  dark: {
    page: '#0d1219',
    card: '#151c26',
    tile: '#1b2430',
    edge: '#2d3947',
    wire: '#6b7a8d',
    ink: '#e7ecf3',
    soft: '#9dabbb',
  },
};
