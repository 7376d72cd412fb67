import { sh } from '../hosts/shell.js';

/**
 * What kubectl on a host says to a question. Silence proves nothing: an API server that is down has the same objects as
 * before. `reason` is the last line of kubectl's stderr.
 */
export type KubectlAnswer =
  | { readonly state: 'answered'; readonly output: string }
  | { readonly state: 'not answered'; readonly reason: string }
  /** The host has no kubectl or not this kubeconfig: no control plane has been set up there yet. */
  | { readonly state: 'not installed' };

/**
 * Shell function: `ask_kubectl KUBECONFIG ARGUMENT...` runs kubectl with these arguments and with its own stdin, prints
 * kubectl's stdout and then one line for `parseKubectlAnswer`. Always succeeds, within 10 s. It writes no cache.
 *
 * An API server without its etcd accepts connections and answers nothing, and one observation asks several times: hence
 * the short limits.
 */
export const askKubectl = sh`
ask_kubectl() { # KUBECONFIG ARGUMENT...
  kbs_conf=$1; shift
  if [ ! -x /usr/local/bin/kubectl ] || [ ! -r "$kbs_conf" ]; then printf '\\nkbs: not installed\\n'; return 0; fi
  if { kbs_why=$(timeout 10 /usr/local/bin/kubectl --kubeconfig "$kbs_conf" --cache-dir=/dev/null --request-timeout=5s \\
    "$@" 2>&1 >&3 3>&-); } 3>&1
  then printf '\\nkbs: answered\\n'
  else
    kbs_code=$?
    kbs_why=$(printf '%s\\n' "$kbs_why" | grep . | tail -n 1) || :
    if [ "$kbs_code" = 124 ]; then kbs_why='kubectl got no answer within 10 s'; fi
    printf '\\nkbs: not answered: %s\\n' "\${kbs_why:-kubectl ended with exit status $kbs_code}"
  fi
}`;

/** Reads what `ask_kubectl` printed. Output that was cut off is no answer. */
export const parseKubectlAnswer = (printed: string): KubectlAnswer => {
  const text = printed.trimEnd();
  const end = text.lastIndexOf('\n');
  const last = text.slice(end + 1);
  if (last === 'kbs: answered') return { state: 'answered', output: text.slice(0, Math.max(end, 0)) };
  if (last === 'kbs: not installed') return { state: 'not installed' };
  const reason = /^kbs: not answered: (.*)$/.exec(last)?.[1];
  return { state: 'not answered', reason: reason ?? 'the output of kubectl was cut off' };
};
