import { expect, test } from 'vitest';
import { hostCheckNames } from '../../src/preflight/host-checks.js';
import { checkVipProbe, parseVipProbe } from '../../src/preflight/vip-probe.js';

const question = { address: '192.168.10.3', vip: '192.168.10.5', routerId: 5, device: 'eth0' };
const ours = ['192.168.10.3', '192.168.10.4'];
const said = (output: string, skipped: readonly string[] = []): readonly string[] =>
  checkVipProbe('lb-00', question, parseVipProbe(output), ours, new Set(skipped)).map(({ message }) => message);

test.each([
  ['silence', 'listened\n', []],
  [
    'an owner',
    'listened\nowner 52:54:00:12:34:56\n',
    ['vip: 192.168.10.5 is in use: 52:54:00:12:34:56 answers for it'],
  ],
  [
    'another router with the same id',
    'listened\nadvert 192.168.10.1 5 192.168.10.254 192.168.10.253\n',
    ['router-id: 192.168.10.1 uses the virtual router id 5 for 192.168.10.254, 192.168.10.253'],
  ],
  ['another router with another id', 'listened\nadvert 192.168.10.1 6 192.168.10.254\n', []],
  ['our own other load balancer', 'listened\nadvert 192.168.10.4 5 192.168.10.6\n', []],
  ['the same address by somebody else, who answers for it', 'listened\nadvert 192.168.10.9 5 192.168.10.5\n', []],
  ['no Perl', '', ['vip: there is no perl to ask on the wire whether 192.168.10.5 is free']],
])('on the wire, %s is judged', (_, output, expected) => expect(said(output)).toEqual(expected));

test('each is skipped by the name that its message begins with', () => {
  const both = 'listened\nowner 52:54:00:12:34:56\nadvert 192.168.10.1 5 192.168.10.254\n';
  const [first = '', second = ''] = said(both);
  const [vip = '', routerId = ''] = [first, second].map((message) => message.slice(0, message.indexOf(':')));
  expect(said(both, [vip])).toEqual([second]);
  expect(said(both, [routerId])).toEqual([first]);
  expect(hostCheckNames(), 'names that --skip-check accepts').toEqual(expect.arrayContaining([vip, routerId]));
});
