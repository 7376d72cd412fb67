import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { dot } from '../diagram/dot.js';
import { html } from '../diagram/html.js';
import { mermaid } from '../diagram/mermaid.js';
import { type Diagram, diagramOf } from '../diagram/model.js';
import { svg } from '../diagram/svg.js';
import { Failure } from '../failure.js';
import { loadCluster } from './load-cluster.js';
import { withWriteErrors } from './write-error.js';

const renderers = { mermaid, dot, svg, html } as const;

export type DiagramFormat = keyof typeof renderers;

/** The format to draw in: the requested one, else that of the file's extension; Mermaid where there is no file. */
export const formatOf = (path?: string, asked?: DiagramFormat): DiagramFormat => {
  if (path === undefined) return asked ?? 'mermaid';
  const fromExtension = extensions.get(extname(path).toLowerCase());
  const format = asked ?? fromExtension;
  if (format === undefined) {
    throw new Failure('usage', `the extension of ${path} is no known format`, {
      next: `use one of ${[...extensions.keys()].join(', ')}, or name the format with -o`,
    });
  }
  if (fromExtension !== undefined && fromExtension !== format) {
    throw new Failure('usage', `-o ${format} contradicts the extension of ${path}, which means ${fromExtension}`, {
      next: 'leave out -o, or name another file',
    });
  }
  return format;
};

const extensions: ReadonlyMap<string, DiagramFormat> = new Map([
  ['.md', 'mermaid'],
  ['.mmd', 'mermaid'],
  ['.svg', 'svg'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.dot', 'dot'],
  ['.gv', 'dot'],
]);

export interface DrawnTopology {
  readonly diagram: Diagram;
  readonly text: string;
}

/** Draws the network of an inventory; with a path the text is also written there. Contacts no host. */
export const topology = async (file: string, format: DiagramFormat, path?: string): Promise<DrawnTopology> => {
  const diagram = diagramOf((await loadCluster(file)).cluster);
  const drawn = renderers[format](diagram);
  // Markdown viewers draw Mermaid in a fenced code block.
  const text = path !== undefined && /\.md$/i.test(path) ? `\`\`\`mermaid\n${drawn}\`\`\`\n` : drawn;
  if (path !== undefined)
    await withWriteErrors(path, 'name another file: kbs topology FILE', () => writeFile(path, text));
  return { diagram, text };
};
