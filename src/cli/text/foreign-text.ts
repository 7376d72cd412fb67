import type { Foreign, ForeignHost } from '../../workflows/foreign.js';
import { type Colors, plain } from './color.js';
import { details } from './failure-text.js';
import { counted } from './format.js';
import { oneLine } from './printable.js';

/** What other clusters have left, host by host; the commands stand at the left, to be copied. */
export function foreignText({ cluster, hosts }: Foreign, colors: Colors = plain): string {
  const parts = hosts.map((host) => part(host, colors)).filter((lines) => lines.length > 0);
  const away = hosts.filter(({ problem }) => problem !== undefined).length;
  const found = parts.length - away;
  const verdict =
    found > 0
      ? `nothing was changed: ${counted(found, 'host')} of cluster ${cluster} ${found === 1 ? 'has' : 'have'} things of another cluster; after the commands: kbs preflight`
      : away < hosts.length
        ? `nothing of another cluster on ${counted(hosts.length - away, 'host')} of cluster ${cluster}`
        : `none of ${counted(hosts.length, 'host')} could be asked`;
  return `${[...parts.flatMap((lines) => [...lines, '']), verdict].join('\n')}\n`;
}

const part = ({ name, problem, found, first, commands, stays }: ForeignHost, colors: Colors): readonly string[] => {
  const title = colors('bold', name);
  if (problem !== undefined) {
    return [title, `  ${colors('red', '✘')} ${oneLine(problem.what)}`, ...details(problem, colors)];
  }
  if (found.length === 0) return [];
  return [
    title,
    ...found.map((text) => `  ${colors('yellow', '!')} ${oneLine(text)}`),
    ...first.map((text) => `  ${colors('cyan', '→')} ${oneLine(text)}`),
    ...(commands.length === 0
      ? []
      : [
          '  as root on this host, in this order:',
          ...commands.map((command) => colors('bold', oneLine(command))),
          '  these leave:',
          ...stays.map((text) => `  ${colors('dim', '-')} ${oneLine(text)}`),
        ]),
  ];
};
