import { defined } from '../defined.js';
import { raw, type Script, sh } from '../hosts/shell.js';

/*
 * What only packets show: whether another machine has the virtual address, or uses the virtual router id for another
 * one. A probe for load balancers that do not hold the address.
 */

/** What a load balancer was asked, and what it received. */
export interface VipProbe {
  readonly question: VipQuestion;
  /** What was received; absent where there was no probe. */
  readonly received?: Received | undefined;
  /** Why there was no probe. */
  readonly error?: string;
}

export interface VipQuestion {
  /** The host's own address in the segment. */
  readonly address: string;
  readonly vip: string;
  /** 1 to 255. */
  readonly routerId: number;
  /** The interface that holds `address`. */
  readonly device: string;
}

/** An advertisement of VRRP that was received: RFC 5798, and RFC 3768 whose first fields are the same. */
interface Advert {
  readonly from: string;
  readonly routerId: number;
  readonly addresses: readonly string[];
}

interface Received {
  /** The hardware address that answered for the virtual one. */
  readonly owner?: string;
  readonly adverts: readonly Advert[];
}

/**
 * Sends three ARP probes (RFC 5227: from no address, so that no cache changes) and listens for answers and
 * advertisements. Version 2 sends one a second, so a little longer than that. Needs root. `perl-base` is essential on Debian.
 */
export const vipProbeScript = ({ address, vip, device }: VipQuestion): Script => sh`command -v perl >/dev/null || exit 0
exec perl - ${address} ${vip} ${device} <<'END'
${raw(listener)}END`;

const listener = sh`use strict; use Socket;
my ($own, $vip, $device) = @ARGV;
socket(my $arp, 17, SOCK_DGRAM, unpack('S', pack('n', 0x0806))) or die "ARP: $!\\n";
# SIOCGIFINDEX and SIOCGIFHWADDR of netdevice(7): in a container, /sys may be that of the machine around it.
sub ask { my $request = pack('a16 x24', $device); ioctl($arp, $_[0], $request) or die "$device: $!\\n"; substr($request, 16) }
my $index = unpack('i', ask(0x8933));
my $me = unpack('x2 a6', ask(0x8927));
socket(my $vrrp, PF_INET, SOCK_RAW, 112) or die "VRRP: $!\\n";
setsockopt($vrrp, 0, 35, inet_aton('224.0.0.18') . inet_aton($own)) or die "multicast: $!\\n";
my $to = pack('SnlSCC a8', 17, 0x0806, $index, 0, 0, 6, "\\xff" x 6);
my $probe = pack('nnCCn', 1, 0x0800, 6, 4, 1) . $me . "\\0" x 4 . "\\0" x 6 . inet_aton($vip);
my ($left, $sent, %said) = (1.3, 0);
while ($left > 0) {
  if ($sent < 3 && $left <= 1.3 - 0.3 * $sent) { $sent++; send($arp, $probe, 0, $to) or die "ARP: $!\\n"; }
  my $ready = '';
  vec($ready, fileno($_), 1) = 1 for $arp, $vrrp;
  my ($found, $rest) = select($ready, undef, undef, 0.1);
  $left -= 0.1 - $rest;
  next unless $found > 0;
  my $line = '';
  if (vec($ready, fileno($arp), 1) && recv($arp, my $answer, 256, 0)) {
    my ($operation, $sender, $for) = unpack('x6 n a6 a4', $answer);
    $line = 'owner ' . join(':', unpack('(H2)6', $sender)) if $for eq inet_aton($vip) && $sender ne $me;
  }
  if (vec($ready, fileno($vrrp), 1) && recv($vrrp, my $packet, 1500, 0)) {
    my $advert = substr($packet, 4 * (ord($packet) & 15));
    my ($type, $id, undef, $count) = unpack('C4', $advert);
    my @held = map { inet_ntoa($_) } unpack('x8 ' . 'a4' x $count, $advert . "\\0" x 1024);
    $line = join(' ', 'advert', inet_ntoa(substr($packet, 12, 4)), $id, @held) if ($type & 15) == 1;
  }
  print "$line\\n" if $line ne '' && !$said{$line}++;
}
print "listened\\n";
`;

/** Reads what `vipProbeScript` printed to stdout; undefined where it did not listen to the end. */
export const parseVipProbe = (output: string): Received | undefined => {
  const lines = output.split('\n').map((line) => line.split(' '));
  if (!lines.some(([word]) => word === 'listened')) return undefined;
  const owner = lines.find(([word]) => word === 'owner')?.[1];
  const adverts = lines.flatMap(([word, from = '', id, ...addresses]) =>
    word === 'advert' ? [{ from, routerId: Number(id), addresses }] : [],
  );
  return { adverts, ...defined({ owner }) };
};
