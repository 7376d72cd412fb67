import type { Project } from './project.js';

/**
 * What a run could change on a host, one line each: files with mode and times, units, addresses, routes, firewall,
 * kernel settings, mounts. Two of them are equal where nothing was changed in between.
 */
export const tracesOf = async (project: Project, host: string): Promise<readonly string[]> =>
  (await project.on(host, script)).split('\n').filter((line) => line !== '' && !noise.test(line));

/** What a running system writes by itself, and what a login leaves. */
const noise =
  /^(\/var\/log\/|\/run\/(log|systemd|udev|user|utmp|motd|sudo)\b|\/var\/lib\/systemd\/|\/var\/tmp\/|\/tmp\/)/;

// Only the network's settings are a lab host's own: all others are the machine's, which may have another lab.
const script = `
find / -xdev ! -type d -printf '%p %y %m %u:%g %s %T@ %C@\\n'
find /var/lib /run -xdev ! -type d -printf '%p %y %m %u:%g %s %T@ %C@\\n'
find / -xdev -type d -printf '%p %y %m %u:%g\\n'
systemctl list-unit-files --no-legend --no-pager
systemctl list-units --no-legend --no-pager --plain --type=service | grep -v '^user\\|^session'
ip -4 address; ip -4 route show table all; ip -4 rule
nft --stateless list ruleset
sysctl -a 2>/dev/null | grep -E '^net\\.(bridge|ipv4\\.(conf|ip_))'
cat /proc/swaps /etc/hosts
findmnt -rno TARGET,SOURCE,OPTIONS | grep -v '^/run/user'
`;

/** How many logins over SSH the host has accepted since it booted; the number grows whenever kbs contacts the host. */
export const loginsOf = async (project: Project, host: string): Promise<number> =>
  Number(await project.on(host, "journalctl -q -b --no-pager _COMM=sshd | grep -c 'Accepted ' || :"));
