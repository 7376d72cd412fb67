import { type Script, sh } from '../../hosts/shell.js';

/**
 * Succeeds where a DNS server answers for a zone with authority: one SOA query over UDP (RFC 1035, 4.1), by bash's own
 * /dev/udp, because a host may have no dig. A server that does not answer costs two seconds.
 *
 * dd gathers the question into one datagram: bash writes in lines, and a length may look like the end of one.
 */
export const answersFor = (server: string, zone: string): Script =>
  sh`timeout 2 bash -c ${String(ask(server, zone))} 2>/dev/null || { echo ${`no answer from ${server} for ${zone}`}; false; }`;

const ask = (server: string, zone: string): Script => sh`exec 3<>/dev/udp/${server}/53
printf ${question(zone)} | dd bs=512 iflag=fullblock status=none >&3
dd bs=512 count=1 status=none <&3 | od -An -tx1 -N4 | grep -q "^ 6b 62 8[4-7] .0"`;

/** The id is "kb"; one question, of type SOA (6) and class IN (1). An answer with authority has 84 and the error 0. */
const question = (zone: string): string => {
  const labels = zone.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const bytes = [0x6b, 0x62, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 6, 0, 1];
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
};
