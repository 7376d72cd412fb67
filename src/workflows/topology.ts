import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { dot } from '../diagram/dot.js';
import { html } from '../diagram/html.js';
import { mermaid } from '../diagram/mermaid.js';
import { type Picture, pictureOf } from '../diagram/model.js';
import { svg } from '../diagram/svg.js';
import { Failure } from '../failure.js';
import { loadCluster } from './load-cluster.js';
import { withWriteErrors } from './write-error.js';

const languages = { mermaid, dot, svg, html } as const;

export type PictureFormat = keyof typeof languages;

/** The format to draw in: the one asked for, or what the ending of the file tells; Mermaid where there is no file. */
export const formatOf = (path?: string, asked?: PictureFormat): PictureFormat => {
  if (path === undefined) return asked ?? 'mermaid';
  const told = endings.get(extname(path).toLowerCase());
  const format = asked ?? told;
  if (format === undefined) {
    throw new Failure('usage', `the ending of ${path} tells no format`, {
      next: `end it in ${[...endings.keys()].join(', ')}, or name the format with -o`,
    });
  }
  if (told !== undefined && told !== format) {
    throw new Failure('usage', `-o ${format} contradicts the ending of ${path}, which is for ${told}`, {
      next: 'leave out -o, or name another file',
    });
  }
  return format;
};

const endings: ReadonlyMap<string, PictureFormat> = new Map([
  ['.md', 'mermaid'],
  ['.mmd', 'mermaid'],
  ['.svg', 'svg'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.dot', 'dot'],
  ['.gv', 'dot'],
]);

export interface Drawing {
  readonly picture: Picture;
  readonly text: string;
}

/** Draws what an inventory comes to; with a path the text is also written there. Nothing is contacted. */
export const topology = async (file: string, format: PictureFormat, path?: string): Promise<Drawing> => {
  const picture = pictureOf((await loadCluster(file)).cluster);
  const drawn = languages[format](picture);
  // Markdown draws Mermaid in a fence.
  const text = path !== undefined && /\.md$/i.test(path) ? `\`\`\`mermaid\n${drawn}\`\`\`\n` : drawn;
  if (path !== undefined)
    await withWriteErrors(path, 'name another file: kbs topology FILE', () => writeFile(path, text));
  return { picture, text };
};
