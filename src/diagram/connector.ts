import { type Card, type Connector, metrics, type Placed } from './measures.js';
import type { Diagram, DrawnRouter } from './model.js';

interface Surroundings {
  readonly cards: readonly Card[];
  /** Where each row of cards has its lanes, from the top. */
  readonly tops: readonly number[];
  readonly diagram: Diagram;
}

/**
 * The line of router number `index`: down to a lane of its own, along it, and down to each of its segments. Where the
 * cards are in several rows, a trunk at the left margin leads to its lane in the next row.
 */
export const connectorOf = (router: Placed<DrawnRouter>, index: number, around: Surroundings): Connector => {
  const { tops } = around;
  const start = router.x + router.width / 2;
  const laneOf = (row: number): number => (tops[row] ?? 0) + 18 + index * metrics.lane;
  const ends = router.of.interfaces.flatMap(({ segment, address }) => {
    const card = around.cards.find(({ of }) => of.name === segment);
    if (card === undefined) return [];
    return [{ x: endX(card, router.of, around.diagram), y: card.y, address, row: rowOf(card, tops) }];
  });
  const last = Math.max(0, ...ends.map(({ row }) => row));
  const trunk = metrics.margin + index * 12;
  const parts = [`M${start} ${router.y + router.height}V${laneOf(0)}`];
  if (last > 0) parts.push(`M${trunk} ${laneOf(0)}V${laneOf(last)}`);
  for (const row of tops.keys()) {
    const here = ends.filter((end) => end.row === row);
    if (here.length === 0 && !(row === 0 && last > 0)) continue;
    const xs = [...here.map(({ x }) => x), ...(row === 0 ? [start] : []), ...(last > 0 ? [trunk] : [])];
    parts.push(`M${Math.min(...xs)} ${laneOf(row)}H${Math.max(...xs)}`);
    parts.push(...here.map(({ x, y }) => `M${x} ${laneOf(row)}V${y}`));
  }
  return { path: parts.join(''), ends };
};

const rowOf = (card: Card, tops: readonly number[]): number => tops.findLastIndex((top) => top <= card.y);

/** The lines of several routers end side by side at a card. */
const endX = (card: Card, router: DrawnRouter, { routers }: Diagram): number => {
  const all = routers.filter(({ interfaces }) => interfaces.some(({ segment }) => segment === card.of.name));
  return card.x + card.width / 2 + (all.indexOf(router) - (all.length - 1) / 2) * metrics.endSpacing;
};
