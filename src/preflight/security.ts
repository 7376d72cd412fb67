import { failIf, type HostCheck } from './check.js';

/** kbs labels no files, and containerd of kbs runs without container-selinux: an enforced policy would deny both. */
export const selinuxCheck = {
  name: 'selinux',
  scope: 'host',
  summary: 'no policy of SELinux is enforced: it has no rules for what kbs installs',
  fix: 'setenforce 0, and SELINUX=permissive in /etc/selinux/config',
  check: (_host, { system }) =>
    failIf(
      system?.selinux === 'enforcing',
      'SELinux enforces its policy, which has no rules for what kbs installs: systemd and containers would be denied files',
      'setenforce 0, and SELINUX=permissive in /etc/selinux/config, so that it stays so after a reboot',
    ),
} satisfies HostCheck;
