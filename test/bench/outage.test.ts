import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sample } from '../../bench/outage/interval-prober.js';
import { statisticsOf } from '../../bench/outage/outage-statistics.js';
import { samplesIn } from '../../bench/outage/probers.js';
import { tableOf } from '../../bench/outage/table.js';

/** Ten samples a second from the second before the fault on; those started between the two seconds fail. */
const outage = (from: number, to: number): readonly Sample[] =>
  Array.from({ length: 60 }, (_, n) => {
    const at = 9_000 + n * 100;
    const fails = at >= 10_000 + from * 1000 && at < 10_000 + to * 1000;
    return fails ? { at, ms: 1000, error: 'no answer within 1000 ms' } : { at, ms: 5 };
  });

const span = { from: 10_000, to: 14_000 };

describe('what an outage cost', () => {
  test.each<readonly [string, readonly Sample[], object]>([
    ['nothing', outage(0, 0), { asked: 41, failed: 0, gap: 0.1, reasons: {} }],
    [
      'some requests in the middle',
      outage(0.5, 1.5),
      { asked: 41, failed: 10, first: 0.5, last: 1.4, gap: 1.1, reasons: { 'no answer within 1000 ms': 10 } },
    ],
    ['what was under way at the fault', outage(-0.5, 0.2), { asked: 46, failed: 7, first: 0, last: 0.1, gap: 0.2 }],
    ['all to the end', outage(1, 9), { asked: 41, failed: 31, first: 1, last: 4, gap: 3.1 }],
    ['no request at all', [], { asked: 0, failed: 0, gap: 4 }],
  ])('is %s', (_, samples, cost) => {
    expect(statisticsOf(samples, span)).toMatchObject(cost);
  });

  test('law: does not depend on the order in which requests ended', () => {
    const sample = fc.record({
      at: fc.integer({ min: 8_000, max: 16_000 }),
      ms: fc.integer({ min: 0, max: 1_000 }),
      error: fc.option(fc.constantFrom('refused', 'late'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(sample), (found) => {
        const samples = found.map(({ error, ...rest }) => (error === undefined ? rest : { ...rest, error }));
        const cost = statisticsOf(samples, span);
        expect(statisticsOf(samples.toReversed(), span)).toEqual(cost);
        expect(cost.failed).toBe(Object.values(cost.reasons).reduce((all, count) => all + count, 0));
      }),
    );
  });

  test('is a row of a table, and the last row is the sum', () => {
    const [reads, writes] = [statisticsOf(outage(0.5, 1.5), span), statisticsOf(outage(0, 0), span)];
    const one = { fault: 'kill', what: 'a host loses power', lasted: 30, healed: 2.5, reads, writes, calls: writes };
    expect(tableOf([one, one]).split('\n').slice(2)).toEqual([
      '| a host loses power | 30.0 s | 10 of 41 | 0.5 to 1.4 s | 1.1 s | 0 of 41 | 0 of 41 | 0.1 s | 2.5 s |',
      '| a host loses power | 30.0 s | 10 of 41 | 0.5 to 1.4 s | 1.1 s | 0 of 41 | 0 of 41 | 0.1 s | 2.5 s |',
      '| all of them | 60.0 s | 20 of 82 |  | 1.1 s | 0 of 82 | 0 of 82 | 0.1 s |  |',
    ]);
  });
});

test("a pod's calls are read from its log, without a line that is cut short", () => {
  const log = `2026-11-21T09:40:00.1Z stdout F {"at":1,"ms":2}
2026-11-21T09:40:00.2Z stderr F panic: {"at":9,"ms":9}
2026-11-21T09:40:00.3Z stdout F {"at":3,"ms":1000,"error":"refused"}
2026-11-21T09:40:00.4Z stdout F {"at":4,"m`;
  expect(samplesIn(log)).toEqual([
    { at: 1, ms: 2 },
    { at: 3, ms: 1000, error: 'refused' },
  ]);
});
