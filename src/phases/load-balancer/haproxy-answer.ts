import { type Script, sh } from '../../hosts/shell.js';
import { balancerHealthPort } from '../../inventory/cluster.js';
import type { FileResource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';

const path = '/usr/local/lib/kbs/haproxy-answer';

export const answerScript = (): FileResource => ({
  kind: 'file',
  path,
  mode: '0755',
  content: render('haproxy-answer', { healthPort: balancerHealthPort }),
});

/**
 * Prints what haproxy on this machine says of itself, on one line. `/settings`: the digest of the settings that it runs
 * with. `/forwards/PORT`: `HOST=1` for each target that takes connections, `HOST=0` for each other one. Fails where it does
 * not answer, or has nothing under that path.
 */
export const haproxyAnswer = (asked: '/settings' | `/forwards/${number}`): Script =>
  sh`timeout 4 ${path} ${String(asked)} 2>/dev/null`;
