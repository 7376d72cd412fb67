import type { WebAddon } from '../addons/index.js';
import { type Host, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, sh } from '../hosts/shell.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { AddonOptions } from './addon-options.js';
import type { CheckResult } from './check-result.js';
import { untilProven } from './until-proven.js';

/** The Service of an add-on's web interface answers the API server, which passes the question on to a pod. */
export const verifyWebInterface = (
  { name, namespace, web }: WebAddon,
  host: Host,
  { patience, limits }: Pick<AddonOptions, 'patience' | 'limits'>,
): Promise<readonly CheckResult[]> =>
  untilProven({ patience, pause: 2_000 }, async (elapsed) => {
    const path = `/api/v1/namespaces/${namespace}/services/${web.service}:${web.port}/proxy${web.answersAt ?? '/'}`;
    const { code, stderr } = await host.query(
      query(sh`${raw(kubectl)} --request-timeout=15s get --raw ${path} >/dev/null`),
      { timeout: 60_000, ...limits },
    );
    const ok = code === 0;
    const detail = ok ? 'answers' : (lastLines(stderr, 1)[0] ?? 'the API server does not answer');
    return [{ proof: 'web interface', name, ok, detail, ms: elapsed() }];
  });
