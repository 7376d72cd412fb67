import { type Card, metrics, type Placed, type Wire } from './measures.js';
import type { DrawnRouter, Picture } from './model.js';

interface Ground {
  readonly cards: readonly Card[];
  /** Where each row of cards has its lanes, from the top. */
  readonly tops: readonly number[];
  readonly picture: Picture;
}

/**
 * The line of router number `index`: down to a lane of its own, along it, and down to each of its segments. Where the
 * cards are in several rows, a trunk at the left margin leads to its lane in the next row.
 */
export const wireOf = (router: Placed<DrawnRouter>, index: number, ground: Ground): Wire => {
  const { tops } = ground;
  const start = router.x + router.width / 2;
  const laneOf = (row: number): number => (tops[row] ?? 0) + 18 + index * metrics.lane;
  const plugs = router.of.legs.flatMap(({ segment, address }) => {
    const card = ground.cards.find(({ of }) => of.name === segment);
    if (card === undefined) return [];
    return [{ x: plugOf(card, router.of, ground.picture), y: card.y, address, row: rowOf(card, tops) }];
  });
  const last = Math.max(0, ...plugs.map(({ row }) => row));
  const trunk = metrics.margin + index * 12;
  const parts = [`M${start} ${router.y + router.height}V${laneOf(0)}`];
  if (last > 0) parts.push(`M${trunk} ${laneOf(0)}V${laneOf(last)}`);
  for (const row of tops.keys()) {
    const here = plugs.filter((plug) => plug.row === row);
    if (here.length === 0 && !(row === 0 && last > 0)) continue;
    const ends = [...here.map(({ x }) => x), ...(row === 0 ? [start] : []), ...(last > 0 ? [trunk] : [])];
    parts.push(`M${Math.min(...ends)} ${laneOf(row)}H${Math.max(...ends)}`);
    parts.push(...here.map(({ x, y }) => `M${x} ${laneOf(row)}V${y}`));
  }
  return { path: parts.join(''), plugs };
};

const rowOf = (card: Card, tops: readonly number[]): number => tops.findLastIndex((top) => top <= card.y);

/** The lines of several routers stand side by side. */
const plugOf = (card: Card, router: DrawnRouter, { routers }: Picture): number => {
  const all = routers.filter(({ legs }) => legs.some(({ segment }) => segment === card.of.name));
  return card.x + card.width / 2 + (all.indexOf(router) - (all.length - 1) / 2) * metrics.plug;
};
