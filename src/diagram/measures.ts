import type { DrawnHost, DrawnRouter, DrawnSegment } from './model.js';

/** The positions of all parts, in pixels from the upper left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly routers: readonly Placed<DrawnRouter>[];
  readonly cards: readonly Card[];
  readonly connectors: readonly Connector[];
  /** Where the legend begins. */
  readonly legend: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Placed<T> extends Box {
  readonly of: T;
}

export interface Card extends Placed<DrawnSegment> {
  readonly tiles: readonly Placed<DrawnHost>[];
  /** The box around the load balancers that can hold the virtual address. */
  readonly band?: Box;
  /** Where the routes begin. */
  readonly foot: number;
}

/** A line from a router to the segments that it joins, as SVG path data, and the positions of its addresses. */
export interface Connector {
  readonly path: string;
  readonly ends: readonly { readonly x: number; readonly y: number; readonly address: string }[];
}

export const metrics = {
  margin: 32,
  /** The title and its two lines. */
  title: 106,
  /** Each further line. */
  titleLine: 20,
  router: { width: 236, height: 50 },
  lane: 22,
  tile: { width: 248, line: 18, pad: 12 },
  gap: 8,
  card: { pad: 14, head: 64, between: 32 },
  band: { pad: 9, head: 30 },
  routeLine: 17,
  /** Between the ends of two connectors at a card. */
  endSpacing: 116,
  /** The width of a row of cards; more cards go into further rows, so that text stays legible on a small screen. */
  row: 1300,
  /** The routes that a card lists; it counts the rest. */
  routes: 4,
} as const;
