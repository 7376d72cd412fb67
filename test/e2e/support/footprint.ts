import type { Project } from './project.js';

/**
 * What kbs could have left on a host: every path but logs, the content of what configures, units, network, rules and
 * mounts. Without the backups that useradd(8) makes of its files: accounts of units that came and went have changed them.
 */
export const footprintOf = (project: Project, host: string): Promise<string> =>
  project.on(
    host,
    `
for root in / /var; do
  find $root -xdev '(' -path /proc -o -path /sys -o -path /tmp -o -path /var/tmp -o -path /var/log/journal -o -path /root -o -path /home ')' \\
    -prune -o -printf '%p %y %m %u:%g %l\\n' | sort
done
find /etc /var/lib /usr/local /opt -xdev -regextype posix-extended -type f \\
  ! -path '/var/lib/systemd/*' ! -regex '/etc/g?(passwd|group|shadow)-' -exec sha256sum {} + | sort -k 2
systemctl list-unit-files --no-legend --no-pager
ip -4 route; ip -6 route; ip -o link | cut -d : -f 2 | cut -d @ -f 1; nft list ruleset
findmnt -rno TARGET | grep -v ^/run/user | sort
find /run -xdev '(' -path /run/systemd -o -path /run/udev -o -path /run/user -o -path /run/log ')' -prune -o -print | sort`,
  );
