import { raw, type Script, sh } from '../hosts/shell.js';
import { newestLabels, releaseLabels } from './release-records.js';

/** The state of a release's objects that are as the chart has rendered them. */
export const asRendered = 'as rendered';

/** The cluster and the user of a kubeconfig, as two more lines of a context. */
const contextOf = `jsonpath=    cluster: "{.contexts[0].context.cluster}"{"\\n"}    user: "{.contexts[0].context.user}"{"\\n"}`;

const eventLine = `jsonpath={range .items[*]}{.metadata.creationTimestamp} {.involvedObject.kind} {.involvedObject.name}: {.reason}: {.message}{"\\n"}{end}`;

const kindLine = `jsonpath={range .items[*]}{.metadata.name}={.metadata.annotations.meta\\.helm\\.sh/release-name}={.metadata.annotations.helm\\.sh/resource-policy}{"\\n"}{end}`;

/**
 * Shell functions about releases. helm keeps its caches and settings in a folder of root's alone, and reads nothing of
 * root's own. kubectl and helm get the namespace from a kubeconfig beside the administrator's: a flag would refuse objects
 * that a chart puts into another namespace.
 */
export const helmShell: Script = sh`
helm_home() { # FOLDER KUBECONFIG NAMESPACE
  kbs_home=$1
  { printf 'apiVersion: v1\\nkind: Config\\ncurrent-context: kbs\\ncontexts:\\n- name: kbs\\n  context:\\n    namespace: "%s"\\n' "$3"
    /usr/local/bin/kubectl --kubeconfig "$2" config view --minify -o ${contextOf}
  } > "$kbs_home/context"
  export KUBECONFIG="$kbs_home/context:$2" HELM_NAMESPACE="$3"
  export HELM_CACHE_HOME="$kbs_home/cache" HELM_CONFIG_HOME="$kbs_home/config" HELM_DATA_HOME="$kbs_home/data"
}
cluster_kubectl() { # ARGUMENT...
  /usr/local/bin/kubectl --cache-dir="$kbs_home/kubectl" --request-timeout=60s "$@"
}
kept_kinds() { # what helm leaves alone: of a folder crds, of an operator, or by its policy
  kbs_kinds=$(cluster_kubectl get customresourcedefinitions -o ${kindLine}) || return 1
  printf '%s\\n' "$kbs_kinds" | sed -n 's/==.*//p; s/=.*=keep$//p'
}
newest_labels() { ${raw(newestLabels)}; }
ask_release() { # KUBECONFIG NAMESPACE NAME
  kbs_said=$(ask_kubectl "$1" -n "$2" get secrets -l "owner=helm,name=$3" --show-labels --no-headers --ignore-not-found)
  kbs_newest=,$(printf '%s\\n' "$kbs_said" | newest_labels),
  case $kbs_newest in
    *,${raw(sh`${releaseLabels.digest}`)}=*) case $kbs_newest in *,status=deployed,*) objects_of "$1" "$2" "$3";; esac;;
  esac
  printf '%s\\n' "$kbs_said"
}
objects_of() { # KUBECONFIG NAMESPACE NAME
  if [ ! -x /usr/local/bin/helm ]; then echo 'objects unknown: helm is not there'; return 0; fi
  kbs_folder=$(mktemp -d /run/kbs-helm.XXXXXX)
  ( helm_home "$kbs_folder" "$1" "$2"
    cd "$kbs_folder"
    if ! timeout 20 /usr/local/bin/helm get manifest "$3" > manifest 2> why; then
      printf 'objects unknown: %s\\n' "$(tail -n 1 why)"; exit 0
    fi
    grep -q '^kind:' manifest || exit 0
    kbs_code=0
    export KUBECTL_EXTERNAL_DIFF='diff -rqN'
    timeout 30 /usr/local/bin/kubectl --cache-dir="$kbs_home/kubectl" diff --server-side --force-conflicts \\
      --field-manager=kbs-plan -f manifest > differing 2> why || kbs_code=$?
    case $kbs_code in
      0) ;;
      1) sed -n 's,^Files [^ ]*/\\([^ /]*\\) and .*,objects differ: \\1,p' differing;;
      *) printf 'objects unknown: %s\\n' "$(grep . why | tail -n 1)";;
    esac ) || :
  rm -rf "$kbs_folder"
}
release_events() { # NAMESPACE SINCE
  cluster_kubectl -n "$1" get events --field-selector type=Warning -o ${eventLine} |
    awk -v since="$2" '$1 >= since { sub(/^[^ ]* /, ""); if (!seen[substr($0, 1, 80)]++) print }' | tail -n 6
}`;
