import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { dot } from '../topology/dot.js';
import { html } from '../topology/html.js';
import { mermaid } from '../topology/mermaid.js';
import { type Picture, pictureOf } from '../topology/model.js';
import { svg } from '../topology/svg.js';
import { open } from './open.js';

const languages = { mermaid, dot, svg, html } as const;

export type PictureFormat = keyof typeof languages;

/** What the ending of a file name asks for; Mermaid where it says nothing. */
export const formatOf = (path = ''): PictureFormat => endings.get(extname(path).toLowerCase()) ?? 'mermaid';

const endings: ReadonlyMap<string, PictureFormat> = new Map([
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
  const picture = pictureOf((await open(file)).cluster);
  const text = languages[format](picture);
  if (path !== undefined) await writeFile(path, text);
  return { picture, text };
};
