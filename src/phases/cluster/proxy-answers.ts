import { raw, type Script, sh } from '../../hosts/shell.js';
import { proxyPorts } from '../../inventory/cluster.js';
import type { Gate } from '../phase.js';

/** Answers with 200 once the first Services are in the kernel, and as long as they are kept up to date. */
export const livenessPath = '/livez';

/** The answer of the kube-proxy on this host, with its HTTP headers; nothing where it does not answer. */
const answerOf = (port: number, path: string): Script =>
  sh`timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$2" >&3 && cat <&3' bash ${port} ${path} 2>/dev/null`;

/** A unit that systemd has started is not one that serves: on a slow machine that takes kube-proxy many seconds. */
export const proxyServes: Gate = {
  name: 'kube-proxy serves',
  test: sh`case $(${raw(answerOf(proxyPorts.health, livenessPath))}) in
  'HTTP/1.'?' 200 '*) ;;
  HTTP*) echo 'it has not written all Services into the kernel yet'; false ;;
  *) echo 'it does not answer on port ${proxyPorts.health} yet'; false ;;
esac`,
  timeoutSeconds: 180,
};

/** Shell: prints the mode in which the kube-proxy on this host works, as the last line. */
export const modeInForce: Script = sh`${raw(answerOf(proxyPorts.metrics, '/proxyMode'))} | tail -n 1`;
