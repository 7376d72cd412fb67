import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.js';
import { contains, offsetOf, overlaps } from '../../src/inventory/addresses.js';
import { movedHosts, type PodPlan, type PodPlanInput, planPods } from '../../src/network/pod-plan.js';

type SegmentInput = PodPlanInput['segments'][number];

const segment = (n: number, numbers: readonly number[] = [], more: Partial<SegmentInput> = {}): SegmentInput => ({
  name: `segment-${n}`,
  cidr: `192.168.${n}.0/24`,
  hosts: numbers.map((number) => ({ name: `host-${n}-${number}`, address: `192.168.${n}.${number}` })),
  ...more,
});

const prefixes = (plan: PodPlan): readonly string[] => plan.segments.map(({ podCidr }) => podCidr);

const failureOf = (input: PodPlanInput): Failure => {
  try {
    planPods(input);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the plan fits');
};

describe('the prefix of a segment', () => {
  it.each([
    ['10.244.0.0/16', 1, ['10.244.0.0/18'], 64],
    ['10.244.0.0/16', 2, ['10.244.0.0/18', '10.244.64.0/18'], 64],
    [
      '10.244.0.0/16',
      5,
      ['10.244.0.0/19', '10.244.32.0/19', '10.244.64.0/19', '10.244.96.0/19', '10.244.128.0/19'],
      32,
    ],
    ['10.244.0.0/20', 2, ['10.244.0.0/22', '10.244.4.0/22'], 16],
    ['10.0.0.0/8', 2, ['10.0.0.0/10', '10.64.0.0/10'], 16384],
    ['10.244.0.0/24', 1, ['10.244.0.0/24'], 4],
    ['10.244.0.0/26', 1, ['10.244.0.0/26'], 1],
  ])('of %s with %i segments leaves room for growth', (pods, count, expected, capacity) => {
    const plan = planPods({ pods, segments: Array.from({ length: count }, (_, n) => segment(n)) });
    expect(prefixes(plan)).toEqual(expected);
    expect(plan.segments[0]?.capacity).toBe(capacity);
  });

  it('stays when segments are added up to the next power of two', () => {
    const three = planPods({ pods: '10.244.0.0/16', segments: [segment(0), segment(1), segment(2)] });
    const four = planPods({ pods: '10.244.0.0/16', segments: [segment(0), segment(1), segment(2), segment(3)] });
    expect(prefixes(four).slice(0, 3)).toEqual(prefixes(three));
  });

  it('grows with a segment that has more hosts than an equal part holds', () => {
    const many = Array.from({ length: 100 }, (_, n) => n + 10);
    const plan = planPods({ pods: '10.244.0.0/16', segments: [segment(0, many), segment(1, [10])] });
    expect(prefixes(plan)).toEqual(['10.244.0.0/17', '10.244.128.0/18']);
  });

  it('is the pinned one, and no other prefix overlaps it', () => {
    const segments = [segment(0), segment(1, [], { pods: '10.244.0.0/17' }), segment(2)];
    expect(prefixes(planPods({ pods: '10.244.0.0/16', segments }))).toEqual([
      '10.244.128.0/18',
      '10.244.0.0/17',
      '10.244.192.0/18',
    ]);
  });

  it('lies around the pinned hosts of the segment', () => {
    const hosts = [{ name: 'old', address: '192.168.0.10', podCIDR: '10.244.200.0/24' }];
    const plan = planPods({ pods: '10.244.0.0/16', segments: [segment(0, [], { hosts }), segment(1, [11])] });
    expect(prefixes(plan)).toEqual(['10.244.192.0/18', '10.244.64.0/18']);
    expect(plan.hosts).toEqual({ old: '10.244.200.0/24', 'host-1-11': '10.244.75.0/24' });
  });

  it('finds room for a fifth segment beside four whose hosts are pinned', () => {
    const four = [segment(0, [10]), segment(1, [11, 12]), segment(2, [13]), segment(3, [14])];
    const before = planPods({ pods: '10.244.0.0/16', segments: four });
    const after = planPods({ pods: '10.244.0.0/16', segments: [...pinned(four, before), segment(4, [10])] });
    expect(movedHosts(before.hosts, after.hosts)).toEqual([]);
    expect(prefixes(after)[4]).toBe('10.244.160.0/19');
  });
});

describe('a host', () => {
  it('gets the CIDR that its address prefers', () => {
    const plan = planPods({ pods: '10.244.0.0/16', segments: [segment(0, [10, 75, 21]), segment(1, [20])] });
    expect(plan.hosts).toEqual({
      'host-0-10': '10.244.10.0/24',
      'host-0-75': '10.244.11.0/24',
      'host-0-21': '10.244.21.0/24',
      'host-1-20': '10.244.84.0/24',
    });
  });

  it('gives way to the lower address that prefers the same CIDR, and takes no CIDR that a third prefers', () => {
    const plan = planPods({ pods: '10.244.0.0/16', segments: [segment(0, [74, 10, 11])] });
    expect(plan.hosts).toEqual({
      'host-0-10': '10.244.10.0/24',
      'host-0-11': '10.244.11.0/24',
      'host-0-74': '10.244.12.0/24',
    });
  });

  it('gets no CIDR that overlaps a pin, whatever the size of the pin', () => {
    const hosts = [
      { name: 'wide', address: '192.168.0.200', podCIDR: '10.244.10.0/23' },
      { name: 'narrow', address: '192.168.0.201', podCIDR: '10.244.12.128/25' },
      { name: 'free', address: '192.168.0.10' },
    ];
    const plan = planPods({ pods: '10.244.0.0/16', segments: [segment(0, [], { hosts })] });
    expect(plan.hosts).toEqual({ wide: '10.244.10.0/23', narrow: '10.244.12.128/25', free: '10.244.13.0/24' });
  });

  it('is listed with both CIDRs where it would move', () => {
    const before = { a: '10.244.1.0/24', b: '10.244.2.0/24', gone: '10.244.3.0/24' };
    const after = { a: '10.244.1.0/24', b: '10.244.4.0/24', fresh: '10.244.2.0/24' };
    expect(movedHosts(before, after)).toEqual([{ host: 'b', was: '10.244.2.0/24', would: '10.244.4.0/24' }]);
  });
});

describe('a plan that does not fit is refused', () => {
  const pin = (podCIDR: string, name = 'a', number = 10) => ({ name, address: `192.168.0.${number}`, podCIDR });
  const withHosts = (...hosts: SegmentInput['hosts']): PodPlanInput => ({
    pods: '10.244.0.0/16',
    segments: [segment(0, [], { hosts }), segment(1)],
  });

  it.each<[string, PodPlanInput, string]>([
    ['a pod network below /26', { pods: '10.244.0.0/27', segments: [] }, 'too small for a single host'],
    ['a pin outside the pod network', withHosts(pin('10.9.0.0/24')), '10.9.0.0/24 is not in 10.244.0.0/16'],
    ['a pin with host bits', withHosts(pin('10.244.3.1/24')), 'its network is 10.244.3.0/24'],
    ['a pin that is not a CIDR', withHosts(pin('ten')), 'ten is not an IPv4 CIDR'],
    ['overlapping pins', withHosts(pin('10.244.2.0/23'), pin('10.244.3.0/24', 'b', 11)), 'overlapping pod CIDRs'],
    [
      'a pin outside the prefix of its segment',
      { pods: '10.244.0.0/16', segments: [segment(0, [], { pods: '10.244.0.0/18', hosts: [pin('10.244.64.0/24')] })] },
      '10.244.64.0/24 is not in 10.244.0.0/18',
    ],
    [
      'two segments that hold pins in one another',
      {
        pods: '10.244.0.0/16',
        segments: [
          segment(0, [], { hosts: [pin('10.244.0.0/24'), pin('10.244.2.0/24', 'b', 11)] }),
          segment(1, [], { hosts: [{ name: 'c', address: '192.168.1.1', podCIDR: '10.244.1.0/24' }] }),
        ],
      },
      'leave no prefix for each',
    ],
    [
      'a pinned prefix with too little room',
      { pods: '10.244.0.0/16', segments: [segment(0, [10, 11, 12], { pods: '10.244.0.0/23' })] },
      'too small for its hosts',
    ],
    [
      'more hosts than the pod network holds',
      { pods: '10.244.0.0/24', segments: [segment(0, [1, 2, 3, 4]), segment(1, [5])] },
      'no room for every segment',
    ],
    [
      'more hosts than the pod network holds, one of them pinned',
      {
        pods: '10.244.0.0/24',
        segments: [segment(0, [], { hosts: [pin('10.244.0.0/26'), ...segment(0, [1, 2, 3, 4]).hosts] })],
      },
      'no room for every segment',
    ],
    [
      'more segments than the pod network holds',
      { pods: '10.244.0.0/26', segments: [segment(0), segment(1)] },
      'no room',
    ],
  ])('%s', (_, input, reason) => {
    const failure = failureOf(input);
    expect(failure.code).toBe('inventory');
    expect([failure.message, ...failure.why].join('\n')).toContain(reason);
  });
});

describe('every plan', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { maxLength: 32 });
  const anyInput: fc.Arbitrary<PodPlanInput> = fc
    .array(numbers, { minLength: 1, maxLength: 6 })
    .map((all) => ({ pods: '10.244.0.0/16', segments: all.map((some, n) => segment(n, some)) }));
  const law = (check: (input: PodPlanInput) => void): void => fc.assert(fc.property(anyInput, check), { numRuns: 50 });

  it('gives disjoint CIDRs, each inside the prefix of its segment, and disjoint prefixes', () =>
    law((input) => {
      const plan = planPods(input);
      expectDisjoint(Object.values(plan.hosts));
      expectDisjoint(prefixes(plan));
      for (const [n, { hosts }] of input.segments.entries()) {
        for (const { name } of hosts) expect(contains(prefixes(plan)[n] ?? '', plan.hosts[name] ?? '')).toBe(true);
        expect(plan.segments[n]?.capacity).toBeGreaterThanOrEqual(hosts.length);
      }
    }));

  it('does not depend on the order of hosts', () =>
    law((input) => {
      const reversed = input.segments.map((one) => ({ ...one, hosts: one.hosts.toReversed() }));
      expect(planPods({ ...input, segments: reversed })).toEqual(planPods(input));
    }));

  it('moves no other host when a host joins or leaves, unless both prefer the same CIDR', () =>
    law((input) => {
      const [first, ...others] = input.segments;
      if (first === undefined || first.hosts.length === 0) return;
      const [leaver, ...stayers] = first.hosts;
      const whole = planPods(input);
      const without = planPods({ ...input, segments: [{ ...first, hosts: stayers }, ...others] });
      const capacity = whole.segments[0]?.capacity ?? 1;
      if (without.segments[0]?.capacity !== capacity) return;
      const wanted = ({ address }: { readonly address: string }) => offsetOf(first.cidr, address) % capacity;
      const contested = new Set(
        stayers.filter((host) => stayers.some((other) => other !== host && wanted(other) === wanted(host))).map(wanted),
      );
      if (leaver !== undefined) contested.add(wanted(leaver));
      const moved = movedHosts(whole.hosts, without.hosts).map(({ host }) => host);
      const touchable = stayers.filter((host) => contested.has(wanted(host))).map(({ name }) => name);
      expect(touchable).toEqual(expect.arrayContaining(moved));
    }));

  it('moves no host once all hosts are pinned, whichever host joins', () =>
    fc.assert(
      fc.property(anyInput, fc.array(numbers, { minLength: 1, maxLength: 6 }), (input, newcomers) => {
        const before = planPods(input);
        const grown = pinned(input.segments, before).map((one, n) => {
          const room = Math.max(0, (before.segments[n]?.capacity ?? 0) - one.hosts.length);
          const known = new Set(one.hosts.map(({ address }) => address));
          const joining = segment(n, newcomers[n] ?? []).hosts.filter(({ address }) => !known.has(address));
          return { ...one, hosts: [...joining.slice(0, room), ...one.hosts] };
        });
        const after = planPods({ ...input, segments: grown });
        expect(movedHosts(before.hosts, after.hosts)).toEqual([]);
        expectDisjoint(Object.values(after.hosts));
      }),
      { numRuns: 50 },
    ));
});

const expectDisjoint = (cidrs: readonly string[]): void => {
  const sorted = cidrs.toSorted((a, b) => offsetOf('10.244.0.0/16', start(a)) - offsetOf('10.244.0.0/16', start(b)));
  for (const [n, cidr] of sorted.entries()) {
    const next = sorted[n + 1];
    if (next !== undefined) expect(overlaps(cidr, next), `${cidr} and ${next}`).toBe(false);
  }
};

const start = (cidr: string): string => cidr.slice(0, cidr.indexOf('/'));

const pinned = (segments: readonly SegmentInput[], plan: PodPlan): readonly SegmentInput[] =>
  segments.map((one) => ({
    ...one,
    hosts: one.hosts.map((host) => ({ ...host, podCIDR: plan.hosts[host.name] ?? '' })),
  }));
