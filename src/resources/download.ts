import type { Download, Way } from '../artifacts/artifacts.js';
import { hereDocument, lines, raw, type Script, sh } from '../hosts/shell.js';

/** Where hosts keep what they download until it is in place, and what arrived of it for as long as it is not whole. */
const folder = '/var/lib/kbs/downloads';

/** The exit status of a step whose host cannot have what it is to download. */
export const notDownloadedCode = 80;
/** The same where it came, and is not what it should be. */
export const wrongContentCode = 81;

/** Shell that removes what was downloaded; after all that may take something out of one archive. */
export const endOfDownloads: Script = sh`rm -rf ${folder}`;

/**
 * Shell that downloads on the host, by curl or else GNU wget, and has the file at `$kbs_file`, with the digest that is
 * wanted. What arrived of it before is gone on with. It ends with `notDownloadedCode` or `wrongContentCode`, the address
 * and the program's own last words where it cannot.
 */
export const download = ({ url, sha256, saidBy, way }: Download): Script =>
  lines(
    sh`[ -d ${folder} ] || mkdir -p -m 0700 ${folder}
kbs_url=${url} kbs_sha256=${sha256} kbs_said_by=${saidBy}
kbs_file=${`${folder}/${sha256}`}
kbs_part=$kbs_file.partial kbs_log=$kbs_file.log kbs_trust=`,
    proxyOf(way),
    ...(way.ca === undefined ? [] : [trust(way.ca, `${folder}/trust.pem`), sh`kbs_trust=${`${folder}/trust.pem`}`]),
    fetchWhole,
    sh`[ -e "$kbs_file" ] || kbs_fetch`,
    ...(way.ca === undefined ? [] : [sh`rm -f "$kbs_trust"`]),
  );

/** Shell that sets the proxy for the programs that come after it: in both spellings, for curl reads one of them only in small letters. */
export const proxyOf = ({ proxy }: Way): Script =>
  proxy === undefined
    ? sh``
    : sh`export https_proxy=${proxy.url} no_proxy=${proxy.exclude.join(',')}
export HTTPS_PROXY="$https_proxy" NO_PROXY="$no_proxy"`;

/** Shell that writes a file of what the host trusts, and these certificates: the host itself does not trust them after that. */
export const trust = (certificates: string, file: string): Script =>
  lines(
    sh`: > ${file}
for kbs_own in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
  if [ -r "$kbs_own" ]; then cat "$kbs_own" > ${file}; break; fi
done`,
    sh`cat >> ${file} ${raw(hereDocument(`\n${certificates.trim()}`, 'KBS_CERTIFICATES'))}`,
  );

/**
 * `kbs_try`: 0 where the server has said that this was all, 1 where another try may bring more, 2 where it would end in the
 * same way. Four failures one after the other that bring nothing are the end. A digest that is wrong may be of what an
 * earlier run has left: once more, from the first byte.
 */
const fetchWhole = sh`kbs_try() {
  if command -v curl >/dev/null 2>&1; then by_curl; elif command -v wget >/dev/null 2>&1; then by_wget; else
    echo 'the host has neither curl nor wget' > "$kbs_log"
    return 2
  fi
}
by_curl() {
  kbs_end=0
  kbs_status=$(curl --silent --show-error --fail --location --proto =https --proto-redir =https --connect-timeout 10 \\
    --speed-limit 1 --speed-time 30 --user-agent kbs \${kbs_trust:+--cacert "$kbs_trust"} --continue-at - \\
    --output "$kbs_part" --write-out '%{http_code}' "$kbs_url" 2>"$kbs_log") || kbs_end=$?
  case $kbs_end:$kbs_status in
    0:* | *:416) return 0 ;;
    33:*) rm -f "$kbs_part"; return 1 ;;
    22:408 | 22:429) return 1 ;;
    22:4* | 1:* | 3:* | 23:* | 47:* | 51:* | 60:* | 77:*) return 2 ;;
    *) return 1 ;;
  esac
}
by_wget() {
  kbs_end=0
  wget --no-verbose --continue --tries=1 --timeout=30 --user-agent=kbs \${kbs_trust:+--ca-certificate="$kbs_trust"} \\
    --output-document="$kbs_part" "$kbs_url" >"$kbs_log" 2>&1 || kbs_end=$?
  case $kbs_end in
    0) return 0 ;;
    2 | 3 | 5) return 2 ;;
    8) if grep -q 'ERROR 4' "$kbs_log" && ! grep -q -e 'ERROR 408' -e 'ERROR 429' "$kbs_log"; then return 2; fi ;;
  esac
  return 1
}
kbs_size() { stat -c %s "$kbs_part" 2>/dev/null || echo 0; }
kbs_give_up() { # STATUS
  echo "$kbs_url could not be downloaded by this host:" >&2
  # What curl says besides is advice for people at a terminal.
  grep '^curl: ' "$kbs_log" >&2 || tail -n 4 "$kbs_log" >&2
  rm -f "$kbs_log" "$kbs_trust"
  [ -s "$kbs_part" ] || rm -f "$kbs_part"
  exit "$1"
}
kbs_fetch() {
  kbs_failures=0 kbs_ours=no
  [ -s "$kbs_part" ] || kbs_ours=yes
  while :; do
    kbs_before=$(kbs_size) kbs_tried=0
    kbs_try || kbs_tried=$?
    if [ "$kbs_tried" = 0 ]; then
      [ -e "$kbs_part" ] || : > "$kbs_part"
      kbs_digest=$(sha256sum < "$kbs_part")
      if [ "\${kbs_digest%% *}" = "$kbs_sha256" ]; then break; fi
      rm -f "$kbs_part"
      echo "it has sha256 \${kbs_digest%% *}, and $kbs_said_by says $kbs_sha256" > "$kbs_log"
      [ "$kbs_ours" = no ] || kbs_give_up ${wrongContentCode}
      kbs_ours=yes
      continue
    fi
    if [ "$(kbs_size)" -gt "$kbs_before" ]; then kbs_failures=0; fi
    kbs_failures=$((kbs_failures + 1))
    if [ "$kbs_tried" = 2 ] || [ "$kbs_failures" -ge 4 ]; then kbs_give_up ${notDownloadedCode}; fi
    sleep "$kbs_failures"
  done
  rm -f "$kbs_log"
  mv -fT "$kbs_part" "$kbs_file"
}`;
