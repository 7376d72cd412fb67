import type { StoredFile } from '../../src/artifacts/artifacts.js';
import { sh } from '../../src/hosts/shell.js';
import type { Resource } from '../../src/resources/resource.js';
import { Secret } from '../../src/secret.js';

/** One kind's contract case: resources, the host to which they are applied, and what may happen to them there. */
export interface Contract {
  readonly about: string;
  readonly resources: readonly Resource[];
  /** Shell that prepares the world. Commands in /usr/local/sbin come first in PATH. */
  readonly given: string;
  /** Changes by hand, as shell; each must be found by the query and undone by apply. */
  readonly drifts: Readonly<Record<string, string>>;
  /** Shell that shows, by the host's own tools, all that the resources stand for; it must be the same in the end. */
  readonly shows: string;
}

/** Artifacts for binaries; `packed` is packed by gzip, and the world's unzstd is a stand-in that knows it. */
export interface Stored {
  readonly plain: StoredFile;
  readonly packed: StoredFile;
}

const awkwardPath = `/srv/a new/it's $HOME "x"/-f \\ é.conf`;

const network = `
ip link set lo up
ip link add one type veth peer name two
ip addr add 192.0.2.1/24 dev one
ip link set one up; ip link set two up`;

/** As nft 1.0.6 prints it. */
const table = `table inet kbs-test {
	set inside {
		type ipv4_addr
		flags interval
		elements = { 10.244.0.0/16, 192.168.10.0/24 }
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.244.0.0/16 ip daddr != @inside counter masquerade
	}
}`;

const hostsEntries: readonly Resource[] = [
  { kind: 'hosts-entry', address: '192.0.2.11', names: ['cp1'] },
  { kind: 'hosts-entry', address: '192.0.2.100', names: ['api.lan', 'api'] },
];

const theirHosts = `printf '127.0.0.1\\tlocalhost\\n192.0.2.9 cp1 # theirs\\n# a remark about kbs\\n' > /etc/hosts`;

const hostsDrifts = {
  'line removed': 'sed "/api/d" /etc/hosts > /run/h; cat /run/h > /etc/hosts',
  'address edited': 'sed "s/2.11 cp1/2.12 cp1/" /etc/hosts > /run/h; cat /run/h > /etc/hosts',
  'name removed': 'sed "s/api.lan api/api.lan/" /etc/hosts > /run/h; cat /run/h > /etc/hosts',
  'line doubled': 'echo "192.0.2.12 cp1 # kbs" >> /etc/hosts',
};

const zoneOf = (address: string): string =>
  `a. 60 IN SOA ns.a. hostmaster.a. @SERIAL@ 60 60 60 60\na. 60 IN NS ns.a.\nns.a. 60 IN A ${address}\n`;

export const contracts = ({ plain, packed }: Stored): readonly Contract[] => [
  {
    about: 'a file where nothing was',
    resources: [
      { kind: 'file', path: '/etc/kbs-test/deep/plain.conf', content: 'one\ntwo\n', mode: '0644' },
      { kind: 'file', path: '/etc/kbs-test/deep/empty', content: '', mode: '0600' },
      { kind: 'file', path: '/etc/kbs-test/ragged', content: '\n\n lines \r\n\nno end', mode: '0755' },
      { kind: 'file', path: '/etc/kbs-test/owned', content: '\n\n\n', mode: '4750', owner: 'daemon:mail' },
      { kind: 'file', path: '/etc/kbs-test/secret', content: new Secret('hush\n'), mode: '0400' },
      { kind: 'file', path: awkwardPath, content: 'é “quoted” $(false) \\n `x`\n', mode: '0644' },
    ],
    given: ':',
    drifts: {
      'content edited': 'echo more >> /etc/kbs-test/deep/plain.conf',
      'secret edited': 'echo more >> /etc/kbs-test/secret',
      'last newline lost': 'printf "one\\ntwo" > /etc/kbs-test/deep/plain.conf',
      'mode changed': 'chmod 0666 /etc/kbs-test/secret',
      'owner changed': 'chown root /etc/kbs-test/owned',
      removed: 'rm /etc/kbs-test/deep/plain.conf',
      'removed with its directory': 'rm -r /etc/kbs-test/deep',
      'replaced by a link to the same content': 'cd /etc/kbs-test; mv ragged /run; ln -s /run/ragged ragged',
      'replaced by a link to nowhere': 'ln -sf /nowhere /etc/kbs-test/secret',
      'replaced by a link to a directory': 'ln -sfT /etc /etc/kbs-test/secret',
      'left half written': 'cd /etc/kbs-test; echo half > .secret.kbs-new; chmod 0666 .secret.kbs-new; rm secret',
    },
    shows: 'find /etc/kbs-test /srv -printf "%p %M %u:%g\\n" 2>&1 | sort',
  },
  {
    about: 'a file where another one was',
    resources: [
      { kind: 'file', path: '/etc/kbs-test/kept', content: 'ours\n', mode: '0644' },
      { kind: 'file', path: '/etc/kbs-test/link', content: 'ours\n', mode: '0644' },
      { kind: 'file', path: '/etc/kbs-test/only-mode', content: 'theirs\n', mode: '0600' },
    ],
    given: `
mkdir /etc/kbs-test; cd /etc/kbs-test
for name in kept only-mode; do echo theirs > $name; chown daemon:mail $name; chmod 0640 $name; done
ln -s kept link`,
    drifts: { 'theirs put back': 'echo theirs > /etc/kbs-test/kept' },
    shows: 'cd /etc/kbs-test; ls -ln --time-style=full-iso | sed 1d; cat kept only-mode',
  },
  {
    about: 'a zone',
    resources: [
      { kind: 'zone', path: '/etc/kbs-test/zones/new', content: zoneOf('192.0.2.1'), serial: 100, mode: '0644' },
      { kind: 'zone', path: '/etc/kbs-test/old', content: zoneOf('192.0.2.2'), serial: 100, mode: '0640' },
      { kind: 'zone', path: '/etc/kbs-test/link', content: zoneOf('192.0.2.3'), serial: 100, mode: '0644' },
    ],
    given: `
mkdir /etc/kbs-test; cd /etc/kbs-test
printf '@ IN SOA ns1 hostmaster (\\n 4000000000 ; serial\\n 1 1 1 1 )\\n@ IN NS ns1\\n' > old
printf '@ IN SOA ns1 hostmaster 900 1 1 1 1\\n' > theirs; ln -s theirs link`,
    drifts: {
      'record edited': 'sed -i s/192.0.2.2/192.0.2.9/ /etc/kbs-test/old',
      'record added': 'echo "more IN A 192.0.2.9" >> /etc/kbs-test/old',
      'mode changed': 'chmod 0666 /etc/kbs-test/zones/new',
      removed: 'rm /etc/kbs-test/zones/new',
      'put back as it was': 'cp -a /var/lib/kbs/before/etc-kbs\\\\x2dtest-old.was /etc/kbs-test/old',
    },
    shows: 'cd /etc/kbs-test; find . -printf "%p %M %u:%g %l\\n" | sort; cat old theirs',
  },
  {
    about: 'a directory where nothing was',
    resources: [
      { kind: 'directory', path: '/var/lib/kbs-test/a/b', mode: '0700' },
      { kind: 'directory', path: '/srv/kbs test', mode: '1777', owner: 'daemon:mail' },
    ],
    given: ':',
    drifts: {
      removed: 'rm -r /var/lib/kbs-test',
      'mode changed': 'chmod 0755 /var/lib/kbs-test/a/b',
      'owner changed': 'chown root "/srv/kbs test"',
    },
    shows: 'find /var/lib/kbs-test /srv -printf "%p %M %u:%g\\n" 2>&1 | sort',
  },
  {
    about: 'a directory that was there',
    resources: [
      { kind: 'directory', path: '/srv/there', mode: '0700' },
      { kind: 'directory', path: '/srv/link', mode: '0700' },
    ],
    given:
      'mkdir -m 2751 /srv/there /srv/disk; chown daemon:mail /srv/there; echo mine > /srv/there/mine; ln -s disk /srv/link',
    drifts: { 'mode changed': 'chmod 0755 /srv/disk' },
    shows: 'find /srv -printf "%p %M %u:%g %l\\n" | sort; cat /srv/there/mine',
  },
  {
    about: 'a directory that others use too',
    resources: [
      { kind: 'directory', path: '/srv/shared/empty', mode: '0755', shared: true },
      { kind: 'directory', path: '/srv/there', mode: '0700', shared: true },
    ],
    given: 'mkdir -m 0750 /srv/there; echo theirs > /srv/there/theirs',
    drifts: { removed: 'rm -r /srv/shared', 'mode changed': 'chmod 0777 /srv/shared/empty' },
    shows: 'find /srv -printf "%p %M %u:%g\\n" | sort',
  },
  {
    about: 'a binary',
    resources: [
      { kind: 'binary', path: '/usr/local/lib/kbs/unzstd', content: plain },
      { kind: 'binary', path: '/opt/kbs-test/bin/tool-one', content: packed },
    ],
    given: ':',
    drifts: {
      'content edited': 'echo >> /opt/kbs-test/bin/tool-one',
      'content edited, with size and mtime as before': `
cd /opt/kbs-test/bin; cp -p tool-one /run/old
printf X | dd of=tool-one conv=notrunc status=none; touch -r /run/old tool-one`,
      'mode changed': 'chmod 0700 /opt/kbs-test/bin/tool-one',
      'owner changed': 'chown daemon /opt/kbs-test/bin/tool-one',
      removed: 'rm /opt/kbs-test/bin/tool-one',
      'replaced by a link': 'ln -sf /bin/true /opt/kbs-test/bin/tool-one',
      'lost with its stamp': 'rm -r /opt/kbs-test /var/lib/kbs/stamps',
    },
    shows: 'find /opt /usr/local/lib/kbs -printf "%p %M %u:%g\\n" 2>&1 | sort',
  },
  {
    about: 'a binary with other names',
    resources: [
      {
        kind: 'binary',
        path: '/opt/kbs-test/bin/one',
        content: plain,
        links: ['/opt/kbs-test/bin/two', '/srv/bin/three'],
      },
    ],
    given: 'mkdir -p /srv/bin; echo theirs > /srv/bin/three',
    drifts: {
      'name removed': 'rm /opt/kbs-test/bin/two',
      'name led elsewhere': 'ln -sfT /bin/true /opt/kbs-test/bin/two',
      'name replaced by a file': 'rm /srv/bin/three; echo theirs > /srv/bin/three',
      'program edited': 'echo >> /opt/kbs-test/bin/one',
    },
    shows: 'find /opt /srv -printf "%p %M %u:%g %l\\n" 2>&1 | sort; cat /srv/bin/three',
  },
  {
    about: 'a sysctl',
    resources: [
      { kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' },
      { kind: 'sysctl', name: 'net.ipv4.ip_local_port_range', value: '20000 65000' },
      { kind: 'sysctl', name: 'net.ipv4.conf.vlan/10.rp_filter', value: '2' },
    ],
    given: 'ip link add vlan.10 type veth peer name two; rm -f /etc/sysctl.d/zz-kbs-*',
    drifts: {
      'live value changed': 'echo 0 > /proc/sys/net/ipv4/ip_forward',
      'one number of a pair changed': 'echo 20001 65000 > /proc/sys/net/ipv4/ip_local_port_range',
      'file removed': 'rm /etc/sysctl.d/zz-kbs-net.ipv4.conf.vlan-10.rp_filter.conf',
      'file edited': 'sed -i s/1/0/ /etc/sysctl.d/zz-kbs-net.ipv4.ip_forward.conf',
    },
    shows: `
cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/conf/vlan.10/rp_filter
ls /etc/sysctl.d`,
  },
  {
    about: 'a kernel module',
    resources: [{ kind: 'kernel-module', name: 'br-feature', check: sh`[ -e /run/feature ]` }],
    given: `
mount -t tmpfs tmpfs /sys/module
cat > /usr/local/sbin/modprobe <<'END'
#!/bin/sh
mkdir -p /sys/module/br_feature; echo live > /sys/module/br_feature/initstate; echo > /run/feature
END
chmod +x /usr/local/sbin/modprobe`,
    drifts: {
      unloaded: 'rm -r /run/feature /sys/module/br_feature',
      'not loaded at boot': 'rm /etc/modules-load.d/kbs-br-feature.conf',
    },
    shows: 'ls /etc/modules-load.d',
  },
  {
    about: 'a kernel module whose feature is there before it is loaded',
    resources: [{ kind: 'kernel-module', name: 'nf_feature', check: sh`[ -e /run/feature ]` }],
    given: `
mount -t tmpfs tmpfs /sys/module
mkdir -p "/lib/modules/$(uname -r)"
echo 'kernel/net/nf-feature.ko.xz:' > "/lib/modules/$(uname -r)/modules.dep"
touch /run/feature
mkdir -p /etc/modules-load.d`,
    drifts: { 'not loaded at boot': 'rm /etc/modules-load.d/kbs-nf_feature.conf' },
    shows: 'ls /etc/modules-load.d',
  },
  {
    about: 'no swap',
    resources: [{ kind: 'swap', state: 'off' }],
    given: `
header='Filename Type Size Used Priority'
printf '%s\\n' "$header" '/dev/sda2 partition 1 0 -2' '/swap\\040file file 1 0 -3' > /run/swaps
mount --bind /run/swaps /proc/swaps
printf '#!/bin/sh\\n[ "$1" = -a ] && echo "%s" > /run/swaps\\n' "$header" > /usr/local/sbin/swapoff
printf '#!/bin/sh\\nprintf "%%s\\\\n" "/dev/sda2 partition 1 0 -2" "/swap\\\\\\\\040file file 1 0 -3" >> /run/swaps\\n' > /usr/local/sbin/swapon
chmod +x /usr/local/sbin/swapo*
cat > /etc/fstab <<'END'
# swap was on /dev/sda2 during installation
UUID=1 / ext4 errors=remount-ro 0 1
  UUID=2	none	swap	sw	0 0
#/dev/old none swap sw 0 0
/swap\\040file swap swap
/dev/sdb1 /srv/swap ext4 defaults 0 0
END
chmod 0640 /etc/fstab`,
    drifts: {
      'swapped on': 'echo "/dev/zram0 partition 1 0 100" >> /run/swaps',
      'brought back by a line of fstab': 'echo "UUID=2 none swap sw 0 0" >> /etc/fstab',
    },
    shows: 'cat /proc/swaps; grep -v "^UUID=2 none" /etc/fstab; stat -c "%a %U" /etc/fstab; ls /etc/fstab*',
  },
  {
    about: 'no swap, where the last line of fstab has no end',
    resources: [{ kind: 'swap', state: 'off' }],
    given: `
echo Filename > /run/swaps; echo '/dev/sda2 partition 1 0 -2' >> /run/swaps
sed -i 's/Filename/Filename Type Size Used Priority/' /run/swaps; mount --bind /run/swaps /proc/swaps
printf '#!/bin/sh\\nsed 1q /run/swaps > /run/none; cat /run/none > /run/swaps\\n' > /usr/local/sbin/swapoff
printf '#!/bin/sh\\necho "/dev/sda2 partition 1 0 -2" >> /run/swaps\\n' > /usr/local/sbin/swapon
chmod +x /usr/local/sbin/swapo*
printf 'UUID=1 / ext4 defaults 0 1\\nUUID=2 none swap sw 0 0' > /etc/fstab`,
    drifts: { 'brought back': 'printf "UUID=1 / ext4 defaults 0 1\\nUUID=2 none swap sw 0 0" > /etc/fstab' },
    shows: 'cat /proc/swaps /etc/fstab',
  },
  {
    about: 'swap as it was found',
    resources: [{ kind: 'swap', state: 'as-found' }],
    given: `
echo 'Filename Type Size Used Priority' > /run/swaps; mount --bind /run/swaps /proc/swaps
printf '#!/bin/sh\\necho "/dev/sda2 partition 1 0 -2" > /run/on\\n' > /usr/local/sbin/swapon
chmod +x /usr/local/sbin/swapon
printf 'UUID=1 / ext4 defaults 0 1\\n#kbs# UUID=2 none swap sw 0 0\\n#UUID=3 none swap sw 0 0\\n' > /etc/fstab`,
    drifts: { 'switched off again': "sed -i 's/^UUID=2/#kbs# &/' /etc/fstab" },
    shows: "sed 's/^#kbs# //' /etc/fstab",
  },
  {
    about: 'no swap by units',
    resources: [{ kind: 'swap', state: 'off' }],
    given: `
rm -rf /run/systemd; mkdir -p /run/systemd/generator /run/systemd/generator.late
header='Filename Type Size Used Priority'
printf '%s\\n' "$header" '/dev/sda3 partition 1 0 -2' > /run/swaps; mount --bind /run/swaps /proc/swaps
printf '#!/bin/sh\\n[ "$1" = -a ] && echo "%s" > /run/swaps\\n' "$header" > /usr/local/sbin/swapoff
printf '#!/bin/sh\\nexit 1\\n' > /usr/local/sbin/swapon; chmod +x /usr/local/sbin/swapo*
: > /etc/fstab
unit() { # FOLDER NAME TARGET LINE
  mkdir -p "$1/$3.wants"
  printf '%s\\n' "$4" > "$1/$2"; ln -s "../$2" "$1/$3.wants/$2"
}
unit /run/systemd/generator.late 'dev-disk-by\\x2duuid-7.swap' swap.target What=/dev/sda3
unit /etc/systemd/system swapfile.swap swap.target What=/swapfile
unit /run/systemd/generator dev-sda9.swap swap.target SourcePath=/etc/fstab
unit /lib/systemd/system dphys-swapfile.service multi-user.target ExecStart=/sbin/dphys-swapfile
unit /lib/systemd/system zramswap.service multi-user.target ExecStart=/usr/sbin/zramswap
unit /lib/systemd/system masked.swap swap.target What=/dev/sdb1
ln -s /dev/null /etc/systemd/system/masked.swap
printf 'What=/dev/sdc1\\n' > /etc/systemd/system/unwanted.swap`,
    drifts: {
      'swapped on': 'echo "/dev/sda3 partition 1 0 100" >> /run/swaps',
      unmasked: 'rm /etc/systemd/system/dev-disk*.swap',
      'brought back by one more unit':
        'printf "What=/dev/sdd1" > /etc/systemd/system/late.swap; ln -s ../late.swap /etc/systemd/system/swap.target.wants/',
    },
    shows:
      'cat /run/swaps | sed 1q; cd /etc/systemd/system; rm -f swap.target.wants/late.swap; ls -l *.swap dphys* zram* swap.target.wants 2>&1 | sed "/late.swap/d; /^total/d; s/root.*[0-9][0-9]:[0-9][0-9] //"; cat swapfile.swap; ls -l masked.swap | sed "s/.*masked/masked/"',
  },
  {
    about: 'a route',
    resources: [
      { kind: 'route', to: '10.244.1.0/24', via: '192.0.2.11' },
      { kind: 'route', to: '10.244.1.7/32', via: '192.0.2.12' },
      { kind: 'route', to: '10.244.0.0/16', via: '192.0.2.13' },
      { kind: 'route', to: '0.0.0.0/0', via: '192.0.2.254' },
    ],
    given: `${network}\nip route add 110.244.1.0/24 via 192.0.2.99; ip route add 10.244.1.0/25 via 192.0.2.99`,
    drifts: {
      removed: 'ip route del 10.244.1.7',
      'led elsewhere': 'ip route replace 10.244.1.0/24 via 192.0.2.99',
      'led into a hole': 'ip route replace blackhole 10.244.0.0/16',
      'led to an interface': 'ip route replace default dev one',
      'led two ways': 'ip route replace 10.244.0.0/16 nexthop via 192.0.2.13 nexthop via 192.0.2.14',
      'demoted to another metric': 'ip route del 10.244.0.0/16; ip route add 10.244.0.0/16 via 192.0.2.99 metric 5',
    },
    shows: 'ip route del 10.244.0.0/16 metric 5 2>/dev/null || :; ip -4 route',
  },
  {
    about: 'a route of IPv6',
    resources: [
      { kind: 'route', to: 'fd00:10:244:1::/64', via: '2001:db8::11' },
      { kind: 'route', to: 'fd00:10:244:2::7/128', via: '2001:db8::12' },
      { kind: 'route', to: '::/0', via: '2001:db8::fe' },
    ],
    given: `${network}\nip addr add 2001:db8::1/64 dev one nodad; ip route add fd00:10:244:1::/65 via 2001:db8::99`,
    drifts: {
      removed: 'ip route del fd00:10:244:2::7',
      'led elsewhere': 'ip route replace fd00:10:244:1::/64 via 2001:db8::99',
      'led into a hole': 'ip route del fd00:10:244:1::/64; ip route add blackhole fd00:10:244:1::/64',
      'led to an interface': 'ip -6 route replace default dev one',
    },
    shows: 'ip -6 route show table main',
  },
  {
    about: 'an nftables table',
    resources: [
      { kind: 'nft-table', family: 'inet', name: 'kbs-test', text: table },
      { kind: 'nft-table', family: 'ip', name: 'kbs-test', text: 'table ip kbs-test {\n}\n' },
    ],
    given: 'nft add table inet theirs',
    drifts: {
      flushed: 'nft flush table inet kbs-test',
      'whole ruleset flushed': 'nft flush ruleset; nft add table inet theirs',
      'rule added': 'nft add rule inet kbs-test postrouting drop',
      'set element added': 'nft add element inet kbs-test inside { 203.0.113.0/24 }',
    },
    shows: 'nft list ruleset',
  },
  {
    about: 'a line of /etc/hosts',
    resources: hostsEntries,
    given: `${theirHosts}; chmod 0640 /etc/hosts; chown root:mail /etc/hosts`,
    drifts: hostsDrifts,
    shows: 'cat /etc/hosts; ls -ln /etc/hosts*  | cut -c 1-20',
  },
  {
    about: 'a line of an /etc/hosts that is a mount',
    resources: hostsEntries,
    given: `${theirHosts}; cp /etc/hosts /run/hosts; mount --bind /run/hosts /etc/hosts`,
    drifts: hostsDrifts,
    shows: 'cat /etc/hosts; ls /etc/hosts*',
  },
  {
    about: 'a line of an /etc/hosts that cloud-init writes at every boot',
    resources: hostsEntries,
    given: `${theirHosts}; mkdir -p /etc/cloud/templates; cd /etc/cloud/templates
printf '## template:jinja\\n127.0.1.1 {{fqdn}} {{hostname}}\\n' > hosts.debian.tmpl
: > hosts.redhat.tmpl; chmod 0600 hosts.redhat.tmpl; : > sources.list.tmpl`,
    drifts: {
      ...hostsDrifts,
      'template replaced': ': > /etc/cloud/templates/hosts.redhat.tmpl',
      'template added': ': > /etc/cloud/templates/hosts.suse.tmpl',
      'address edited in a template': 'sed -i s/2.11/2.12/ /etc/cloud/templates/hosts.debian.tmpl',
    },
    shows: `cd /etc/cloud/templates; rm -f hosts.suse.tmpl
cat /etc/hosts hosts.debian.tmpl; ls -ln | cut -c 1-20`,
  },
  {
    about: 'a task',
    resources: [
      {
        kind: 'task',
        name: 'it is done',
        check: sh`test -e /run/done # with a remark`,
        run: sh`cd /run; done=yes\necho "$done" > done # with a remark`,
        undo: sh`rm /run/done`,
      },
    ],
    given: ':',
    drifts: { undone: 'rm /run/done' },
    shows: 'ls /run',
  },
];
