import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { sha256 } from '../secret.js';
import {
  managed,
  ownedPath,
  recordPath,
  restoreOriginal,
  saveOriginal,
  stateOfMissing,
  temporaryPath,
} from './original.js';
import type { Kind, UnitResource } from './resource.js';
import { step } from './resource.js';

/**
 * A systemd unit of kbs's own: its text, that it starts at boot, that it is active, and that what runs was started with
 * exactly this text and these inputs. A service testifies to that itself: its process carries the digest in its
 * environment. A oneshot leaves no process, so it is stopped before its text changes: active means started with this
 * text. (It needs RemainAfterExit=yes.)
 *
 * Drop-ins of other sources are neither observed nor changed. What ran under this name before is stopped, until
 * `runAgain`.
 */
export const unit: Kind<UnitResource> = {
  kind: 'unit',
  id: (resource) => resource.name,
  prelude: sh`${raw(managed)}
look_unit() { # NAME PATH NOTE
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then nothing "$3"; return 0; fi
  echo "Touched=$(touched "$3")"
  shown=$(systemctl show -p UnitFileState -p ActiveState -p NeedDaemonReload -p Environment -p MainPID "$1")
  printf '%s\\n' "$shown"
  pid=\${shown#*MainPID=}
  pid="\${pid%%[!0-9]*}"
  if [ "\${pid:-0}" != 0 ]; then
    tr '\\0' '\\n' < "/proc/$pid/environ" 2>/dev/null | sed -n 's/^KBS_DIGEST=/Running=/p'
  fi
  if [ -L "$2" ]; then echo "Link=$(readlink "$2")"; else echo "Text=$(base64 -w 0 "$2")"; fi
}`,
  query: (resource) => sh`look_unit ${resource.name} ${pathOf(resource)} ${recordPath(pathOf(resource))}`,
  parse(output, resource) {
    if (!output.includes('=')) return stateOfMissing(output);
    const shown = new Map(output.split('\n').map((line) => [nameIn(line), line.slice(nameIn(line).length + 1)]));
    const link = shown.get('Link');
    const loaded = /\bKBS_DIGEST=(\w+)/.exec(shown.get('Environment') ?? '')?.[1];
    const running = resource.runs === 'oneshot' ? loaded : shown.get('Running');
    return {
      content: link === undefined ? Buffer.from(shown.get('Text') ?? '', 'base64').toString() : `link to ${link}`,
      enabled: shown.get('UnitFileState') || 'unknown',
      active: shown.get('ActiveState') || 'unknown',
      loaded: shown.get('NeedDaemonReload') === 'no' ? 'current' : 'stale',
      running: running || 'none',
      touched: shown.get('Touched') ?? 'no',
    };
  },
  desired: (resource) => ({
    content: withDigest(resource),
    enabled: isInstalled(resource) ? 'enabled' : 'static',
    active: 'active',
    loaded: 'current',
    running: digestOf(resource),
  }),
  apply(resource, seen) {
    const wanted = unit.desired(resource);
    const differs = (aspect: string) => seen?.[aspect] !== wanted[aspect];
    const bytes = Buffer.from(withDigest(resource));
    const scripts: Script[] = [];
    if (differs('content')) {
      if (resource.check !== undefined) scripts.push(sh`(\n${raw(resource.check)}\n) </dev/null >&2`);
      if (seen !== undefined && resource.runs === 'oneshot') scripts.push(stop(resource));
      scripts.push(write(resource, bytes.length));
    }
    if (differs('enabled') && isInstalled(resource)) {
      scripts.push(sh`systemctl --quiet --no-reload enable ${resource.name} </dev/null`);
    }
    if (differs('content') || differs('enabled') || differs('loaded'))
      scripts.push(sh`systemctl daemon-reload </dev/null`);
    if (differs('content') || differs('active') || differs('running')) scripts.push(restart(resource));
    return [step(lines(...scripts), differs('content') ? [{ bytes }] : [])];
  },
  remove: (resource, seen) =>
    seen.touched === 'yes'
      ? [
          step(
            lines(
              sh`systemctl --quiet disable ${resource.name} </dev/null || :`,
              stop(resource),
              restoreOriginal(pathOf(resource)),
              sh`systemctl daemon-reload </dev/null`,
              sh`systemctl reset-failed ${resource.name} </dev/null 2>/dev/null || :`,
            ),
          ),
        ]
      : [],
  record: {
    write: () => ({}),
    read: (id) =>
      /^[A-Za-z0-9:_.@\\-]+$/.test(id) ? { kind: 'unit', name: id, text: '', inputs: [], runs: 'service' } : undefined,
  },
  owns: (resource) => [ownedPath(pathOf(resource))],
};

const write = (resource: UnitResource, size: number): Script => {
  const path = pathOf(resource);
  const beside = temporaryPath(path);
  return lines(
    saveOriginal(path, undefined, saveFormerVerbs(resource)),
    receive(size, beside),
    sh`chmod 0644 ${beside}; mv -fT ${beside} ${path}`,
  );
};

/** Shell that saves the verbs of systemctl, if any, with which `restartReplacedUnit` restores the unit that kbs replaces. */
const saveFormerVerbs = (resource: UnitResource): Script => {
  const verbs = formerVerbsPath(resource);
  const { name } = resource;
  return sh`if [ ! -e ${verbs} ]; then
    {
      if [ "$(systemctl show -p UnitFileState --value ${name} </dev/null)" = enabled ]; then echo enable; fi
      if systemctl --quiet is-active ${name} </dev/null; then echo start; fi
    } > ${verbs}.new
    if [ -s ${verbs}.new ]; then mv -fT ${verbs}.new ${verbs}; else rm -f ${verbs}.new; fi
  fi`;
};

/**
 * Shell that enables and starts the unit that kbs's unit replaced, as it was before kbs. To be run once all originals are
 * restored: earlier the unit would run with kbs's settings, and might hold an address of the cluster. A unit that does not
 * start is an error once, and not in the next run, so that the host can still leave the cluster.
 */
export const restartReplacedUnit = (resource: UnitResource): Script => {
  const verbs = formerVerbsPath(resource);
  const { name } = resource;
  return sh`if [ -e ${verbs} ]; then
  failed=no
  if [ "$(systemctl show -p LoadState --value ${name} </dev/null)" = loaded ]; then
    while read -r verb; do systemctl --quiet "$verb" ${name} </dev/null || failed=$verb; done < ${verbs}
  fi
  rm -f ${verbs}
  if [ "$failed" != no ]; then
    echo ${name} "was there before kbs, and systemctl cannot $failed it again: look at it on the host with" >&2
    echo 'systemctl status' ${`${name},`} 'and run kbs again, which goes on without it' >&2
    exit 1
  fi
fi`;
};

const formerVerbsPath = (resource: UnitResource): string => `${recordPath(pathOf(resource))}.run`;

/** A unit that is not loaded, with its file gone, cannot be stopped and need not be. */
const stop = ({ name }: UnitResource): Script =>
  sh`systemctl stop ${name} </dev/null || [ "$(systemctl show -p ActiveState --value ${name} </dev/null)" = inactive ]`;

/**
 * A unit that failed too often refuses to start until it is reset, which also sets its count of restarts to zero.
 * `systemctl restart` waits for a unit that says when it is ready; a simple one counts as started at once, and must
 * still be there a moment later without having been started again. That a program is missing is told by a process of
 * systemd's that is gone before the journal knows to which unit it belongs, and so only by the field of its message. On a
 * busy host the journal is behind by more than the start took.
 */
const restart = (resource: UnitResource): Script => {
  const { name } = resource;
  const stays = saysWhenReady(resource)
    ? sh``
    : sh` && sleep 0.3 && systemctl --quiet is-active ${name} </dev/null &&
  [ "$(systemctl show -p NRestarts --value ${name} </dev/null)" = 0 ]`;
  return sh`systemctl reset-failed ${name} </dev/null 2>/dev/null || :
if ! { systemctl restart ${name} </dev/null${raw(stays)}; }; then
  timeout 5 journalctl --sync </dev/null >/dev/null 2>&1 || :
  journalctl ${`_SYSTEMD_UNIT=${name}`} + ${`UNIT=${name}`} _UID=0 -n 20 --no-pager </dev/null >&2 || :
  exit 1
fi`;
};

const saysWhenReady = ({ text }: UnitResource): boolean =>
  /^Type=(notify|notify-reload|forking|dbus|oneshot)\s*$/m.test(text);
const isInstalled = ({ text }: UnitResource): boolean => /^(WantedBy|RequiredBy|UpheldBy)=\S/m.test(text);

/** The unit's text with its digest as the first setting of the service. */
const withDigest = (resource: UnitResource): string =>
  resource.text.replace(/^\[Service\][^\S\n]*$/m, `[Service]\nEnvironment=KBS_DIGEST=${digestOf(resource)}`);

const digestOf = ({ text, inputs }: UnitResource): string => sha256(JSON.stringify([text, inputs])).slice(0, 16);

const pathOf = ({ name }: UnitResource): string => `/etc/systemd/system/${name}`;
const nameIn = (line: string): string => line.slice(0, line.indexOf('='));
