import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import handlebars from 'handlebars';

/**
 * Renders one of the templates in this folder. Throws where a value that the template names is missing. Nothing is
 * escaped, so a value with a line break, which could inject another setting, throws too.
 */
export const render = (template: TemplateName, values: Readonly<Record<string, Value>>): string => {
  for (const [name, value] of Object.entries(values)) {
    if (hasLineBreak(value)) throw new Error(`${template}: ${name} has a line break`);
  }
  return compiled(template)(values, { partials: { 'network-sandbox': compiled('network-sandbox') } });
};

export type TemplateName =
  | 'component.service'
  | 'containerd.service'
  | 'containerd.toml'
  | 'containerd-hosts.toml'
  | 'containerd-kbs.toml'
  | 'gpu-cdi.service'
  | 'gpu-cdi.sh'
  | 'haproxy.cfg'
  | 'haproxy.service'
  | 'haproxy-answer'
  | 'haproxy-health'
  | 'keepalived.conf'
  | 'keepalived.service'
  | 'kube-proxy.service'
  | 'keep-routes.sh'
  | 'kubelet.service'
  | 'lan-dns.corefile'
  | 'lan-dns.service'
  | 'lan-zone'
  | 'metrics.cfg'
  | 'metrics.service'
  | 'node-exporter.service'
  | 'routes.service'
  | 'routes.sh'
  | 'firewall.service';

type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

const hasLineBreak = (value: Value): boolean =>
  typeof value === 'object'
    ? Object.values(value).some((each: Value) => hasLineBreak(each))
    : typeof value === 'string' && /[\n\r\0]/.test(value);

/** Compiled at its first use and kept: a plan renders each template for every host, and to compile takes longer than that. */
const compiled = (name: TemplateName | 'network-sandbox'): HandlebarsTemplateDelegate => {
  const template = kept.get(name) ?? handlebars.compile(read(name), { strict: true, noEscape: true });
  kept.set(name, template);
  return template;
};

const kept = new Map<string, HandlebarsTemplateDelegate>();

const read = (name: string): string => readFileSync(fileURLToPath(new URL(`${name}.hbs`, import.meta.url)), 'utf8');
