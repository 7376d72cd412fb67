import { sh } from '../shell.js';

/** What keeps, or could keep, the clock of a host in step with time servers. */
export type TimeDaemon =
  | { readonly program: 'timesyncd' }
  | {
      readonly program: 'chrony';
      /** `chrony.service` on Debian and Ubuntu, `chronyd.service` elsewhere. */
      readonly unit: string;
      /** The path of its settings. */
      readonly settings: string;
      /** The folder of further settings that they name; absent where they name none, as on Fedora and RHEL. */
      readonly folder?: string;
    }
  | { readonly program: 'none' };

/**
 * Prints `system timedaemon …`, by the function `system` of the script around it. Where both are installed the one that
 * runs counts, else chrony. The folder that kbs itself has added is left out.
 */
export const timeDaemonScript = sh`time_daemon=none
for folder in /usr/lib/systemd /lib/systemd; do
  if [ -x $folder/systemd-timesyncd ]; then time_daemon=timesyncd; fi
done
if ! { [ $time_daemon = timesyncd ] && systemctl -q is-active systemd-timesyncd.service </dev/null 2>/dev/null; }; then
  for unit in chrony chronyd; do
    for settings in /etc/chrony/chrony.conf /etc/chrony.conf; do
      if [ -e /usr/lib/systemd/system/$unit.service ] || [ -e /lib/systemd/system/$unit.service ] && [ -r $settings ]; then
        folder=$(sed '/^# Written by kbs/,+1d' $settings | sed -n 's/^[[:space:]]*confdir[[:space:]]\\{1,\\}\\([^[:space:]]*\\).*/\\1/p' | head -n 1)
        time_daemon="chrony $unit.service $settings $folder"
        break 2
      fi
    done
  done
fi
system timedaemon "$time_daemon"
`;

/** Reads what follows `system timedaemon`. */
export const parseTimeDaemon = (value: string | undefined): TimeDaemon | undefined => {
  const [program, unit, settings, folder] = (value ?? '').split(' ').filter(Boolean);
  if (program === 'timesyncd' || program === 'none') return { program };
  if (program !== 'chrony' || unit === undefined || settings === undefined) return undefined;
  return { program, unit, settings, ...(folder === undefined ? {} : { folder }) };
};
