import { sh } from '../shell.js';

/**
 * Part of `systemScript`. Static pods and units of kbs have KBS_DIGEST in their environment. A unit counts where it runs or
 * starts at boot; a kubelet only where it runs, for the package of kubeadm has one that starts and ends until there is a cluster.
 */
export const otherClustersScript = sh`
sed -n 's/^{"kind":"task","id":"etcd-member","phase":"[^"]*","cluster":"\\([^"]*\\)".*/system etcdof \\1/p' \\
  /var/lib/kbs/resources 2>/dev/null || :
for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
  manifest=/etc/kubernetes/manifests/$name.yaml
  code=0; grep -q KBS_DIGEST $manifest 2>/dev/null || code=$?
  # 2: it is not there, or cannot be read.
  if [ $code = 1 ]; then system runs kubeadm; break; fi
done
for unit in k3s k3s-agent rke2-server rke2-agent k0scontroller k0sworker snap.microk8s.daemon-kubelite; do
  for folder in /etc /run /usr/local/lib /usr/lib /lib; do
    if [ -e $folder/systemd/system/$unit.service ]; then
      if systemctl -q is-active $unit.service 2>/dev/null || systemctl -q is-enabled $unit.service 2>/dev/null; then
        system runs $unit
      fi
      break
    fi
  done
done
if systemctl -q is-active kubelet.service 2>/dev/null; then
  # Without an answer nothing is known of it.
  case $(systemctl show -p Environment kubelet.service 2>/dev/null) in
    *KBS_DIGEST*) ;;
    Environment=*) system runs kubelet ;;
  esac
fi
`;
