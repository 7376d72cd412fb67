import { contains, networkOf } from '../addresses.js';
import { decide, type Remark, when } from './tool-cluster.js';

/** The network that hosts are in. */
export interface ImportedSegment {
  readonly name: string;
  readonly cidr: string;
  /** Nothing but the addresses of its hosts speaks for it. */
  readonly guessed: boolean;
}

/**
 * The segments of these addresses: the given networks that hold any, and a /24 for each of the others. A single one is
 * called `lan`, each of several after its network.
 */
export const segmentsOf = (addresses: readonly string[], given: readonly string[]): readonly ImportedSegment[] => {
  const cidrs = addresses.map((address) => given.find((cidr) => contains(cidr, address)) ?? networkOf(`${address}/24`));
  const unique = [...new Set(cidrs)];
  return unique.map((cidr) => ({
    name: unique.length === 1 ? 'lan' : `lan-${(cidr.split('/')[0] ?? '').replaceAll('.', '-')}`,
    cidr,
    guessed: !given.includes(cidr),
  }));
};

/** What no file of another tool says of networks. */
export const segmentRemarks = (tool: string, segments: readonly ImportedSegment[]): readonly Remark[] => {
  const path = ['network', 'segments'];
  const isOne = segments.length === 1;
  const guessed = isOne
    ? "the segment is the /24 of the hosts' addresses; write the network as it is"
    : "the segments are the /24s of the hosts' addresses; where several are one network, import again with --segment CIDR";
  const none = 'the network that the hosts are in: none has an IPv4 address here';
  return [
    ...when(segments.length === 0, decide([...path, 'lan'], none, 'lan: { cidr: CIDR }')),
    ...when(
      segments.some((segment) => segment.guessed),
      decide(path, guessed),
    ),
    ...segments.flatMap(({ name }) => {
      const router = `the router's address in ${name}: ${tool} does not say it`;
      return when(!isOne, decide([...path, name, 'gateway'], router, 'gateway: ADDRESS'));
    }),
  ];
};
