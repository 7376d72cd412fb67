/** A route in a table of the kernel. */
export interface LiveRoute {
  /** CIDR, or `default`. */
  readonly to: string;
  /** Empty where it leads nowhere. */
  readonly device: string;
  readonly via?: string;
  /** It sends what it is for back to the next rule. */
  readonly throws?: true;
}

/**
 * One line of `ip route`: `10.0.0.0/8 via 192.168.0.1 dev eth0 …`, or with its type first, `blackhole 10.1.0.0/16`. The
 * further next hops of a multipath route stand on lines of their own and say nothing new.
 */
export const liveRoute = (line: string): readonly LiveRoute[] => {
  const words = line.split(' ').filter(Boolean);
  const after = (key: string) => (words.includes(key) ? words[words.indexOf(key) + 1] : undefined);
  const [to = ''] = types.includes(words[0] ?? '') ? words.slice(1) : words;
  if (to !== 'default' && !/^[0-9a-f.:]+(\/[0-9]+)?$/.test(to)) return [];
  const via = after('via');
  return [
    {
      to: to.includes('/') || to === 'default' ? to : `${to}/${to.includes(':') ? 128 : 32}`,
      device: after('dev') ?? '',
      ...(via === undefined ? {} : { via }),
      ...(words[0] === 'throw' ? { throws: true } : {}),
    },
  ];
};

/** Route types of ip-route(8) that may stand before the prefix. */
const types: readonly string[] = [
  'unicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'local',
  'broadcast',
  'multicast',
  'anycast',
];
